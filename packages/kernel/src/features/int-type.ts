// SPDX-License-Identifier: Apache-2.0

import { BtfKind, type BtfType } from "@skep/ebpf";

/** C's `int`, for BTF that is made to see whether the kernel takes it. */
export const intType: BtfType = {
  kind: BtfKind.INT,
  name: "int",
  size: 4,
  bits: 32,
  bitOffset: 0,
  signed: true,
  char: false,
  bool: false,
};
