// SPDX-License-Identifier: Apache-2.0

import type { AnchorReference, Ordering } from "@skep/ebpf";
import type { OrderDetail } from "@skep/linux";

const BPF_F_BEFORE = 1 << 3;
const BPF_F_AFTER = 1 << 4;
const BPF_F_ID = 1 << 5;
const BPF_F_LINK = 1 << 13;

/** Flags and detail of BPF_LINK_CREATE that say where a program goes among others (6.6). */
export function linkOrder({ anchor = "last", revision = 0n }: Ordering): { flags: number; detail: OrderDetail } {
  const detail = { kind: "order", relative: 0, revision } as const;
  // The kernel puts a program last unless it is told otherwise.
  if (anchor === "last") return { flags: 0, detail };
  if (anchor === "first") return { flags: BPF_F_BEFORE, detail };
  const [direction, reference] = "before" in anchor ? [BPF_F_BEFORE, anchor.before] : [BPF_F_AFTER, anchor.after];
  const { flags, id } = identify(reference);
  return { flags: direction | flags, detail: { ...detail, relative: id } };
}

/** By id, not by descriptor: a link may stand in a wrapper, and its id is what its info tells. */
function identify(reference: AnchorReference): { flags: number; id: number } {
  if ("programId" in reference) return { flags: BPF_F_ID, id: reference.programId };
  const id = "linkId" in reference ? reference.linkId : reference.info().id;
  return { flags: BPF_F_ID | BPF_F_LINK, id };
}
