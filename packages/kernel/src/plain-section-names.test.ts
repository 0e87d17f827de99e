// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, BtfKind, readBtf } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { plainSectionNames } from "./plain-section-names.ts";

const sections = (...names: string[]) => {
  const builder = new BtfBuilder();
  const float = builder.add({ kind: BtfKind.FLOAT, name: "a/b", size: 4 });
  const variable = builder.add({ kind: BtfKind.VAR, name: "value", type: float, linkage: "global" });
  for (const name of names) {
    builder.add({ kind: BtfKind.DATASEC, name, size: 4, variables: [{ type: variable, offset: 0, size: 4 }] });
  }
  return builder.build();
};

describe("plainSectionNames", () => {
  it("changes only what an old kernel refuses, in sections' names only", () => {
    const btf = readBtf(plainSectionNames(readBtf(sections("maps/old", ".data.x", "?y"))) ?? new Uint8Array(0));
    const names = Array.from({ length: btf.typeCount - 1 }, (_, i) => btf.typeById(i + 1).name);
    expect(names).toEqual(["a/b", "value", "maps_old", ".data.x", "_y"]);
  });

  it("gives nothing when all are plain", () => {
    expect(plainSectionNames(readBtf(sections(".maps", ".data")))).toBeUndefined();
  });
});
