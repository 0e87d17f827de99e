// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, BtfKind, type BtfType } from "@skep/ebpf";
import { attemptBtf } from "./attempts.ts";
import type { Attempt, Feature } from "./feature-support.ts";
import { intType } from "./int-type.ts";

const proto: BtfType = {
  kind: BtfKind.FUNC_PROTO,
  name: "",
  returns: 0,
  parameters: [{ name: "argument", type: 1 }],
};
const variable: BtfType = { kind: BtfKind.VAR, name: "counter", type: 1, linkage: "static" };

/** Loads types of which the last is of the kind in question; type 1 is `int`. */
function withTypes(...types: readonly BtfType[]): () => Attempt {
  return () => {
    const builder = new BtfBuilder();
    for (const type of [intType, ...types]) builder.add(type);
    return attemptBtf(builder.build());
  };
}

/** What can be asked of {@link btfFeatures}. */
export type BtfFeatureName =
  | "btf"
  | "btf func"
  | "btf datasec"
  | "btf global func"
  | "btf float"
  | "btf decl_tag"
  | "btf type_tag"
  | "btf enum64";

/** What the kernel can be told about types, each with the first kernel that takes it. */
export const btfFeatures: Readonly<Record<BtfFeatureName, Feature>> = {
  btf: { since: "4.18", attempt: withTypes() },
  "btf func": {
    since: "5.0",
    attempt: withTypes(proto, { kind: BtfKind.FUNC, name: "f", type: 2, linkage: "static" }),
  },
  "btf datasec": {
    since: "5.2",
    attempt: withTypes(variable, {
      kind: BtfKind.DATASEC,
      name: ".bss",
      size: 4,
      variables: [{ type: 2, offset: 0, size: 4 }],
    }),
  },
  "btf global func": {
    since: "5.6",
    attempt: withTypes(proto, { kind: BtfKind.FUNC, name: "f", type: 2, linkage: "global" }),
  },
  "btf float": { since: "5.13", attempt: withTypes({ kind: BtfKind.FLOAT, name: "float", size: 4 }) },
  "btf decl_tag": {
    since: "5.16",
    attempt: withTypes(variable, { kind: BtfKind.DECL_TAG, name: "tag", type: 2, component: -1 }),
  },
  "btf type_tag": {
    since: "5.17",
    attempt: withTypes({ kind: BtfKind.TYPE_TAG, name: "tag", type: 1 }, { kind: BtfKind.PTR, name: "", type: 2 }),
  },
  "btf enum64": {
    since: "6.0",
    attempt: withTypes({
      kind: BtfKind.ENUM64,
      name: "wide",
      size: 8,
      signed: false,
      values: [{ name: "LARGE", value: 1n << 40n }],
    }),
  },
};
