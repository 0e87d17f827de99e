// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { BPF_F_TOKEN_FD } from "./bpf-token-call.ts";

/**
 * BPF_BTF_LOAD (4.18), unchecked: the descriptor, or the negative errno. With `log` the kernel says what it
 * does not like; `tokenFd` is a BPF token that lends the right to do it (6.9).
 */
export function loadBtf(bytes: Uint8Array, log?: Uint8Array, tokenFd?: number): number {
  const attr = new AttrBuffer(40).pointer(0, bytes).u32(16, bytes.length);
  if (log !== undefined) attr.pointer(8, log).u32(20, log.length).u32(24, 1);
  if (tokenFd !== undefined) attr.u32(32, BPF_F_TOKEN_FD).i32(36, tokenFd);
  return bpfResult(BpfCommand.BTF_LOAD, attr.address, attr.size);
}
