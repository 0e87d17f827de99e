// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";

/**
 * BPF_BTF_LOAD (4.18), unchecked: the descriptor, or the negative errno. With `log` the kernel says what it
 * does not like.
 */
export function loadBtf(bytes: Uint8Array, log?: Uint8Array): number {
  const attr = new AttrBuffer(32).pointer(0, bytes).u32(16, bytes.length);
  if (log !== undefined) attr.pointer(8, log).u32(20, log.length).u32(24, 1);
  return bpfResult(BpfCommand.BTF_LOAD, attr.address, 32);
}
