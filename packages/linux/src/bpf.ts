// SPDX-License-Identifier: Apache-2.0

import type { AttrBuffer } from "./attr-buffer.ts";
import { type BpfCommand, bpfCommandName } from "./bpf-command.ts";
import { ffi } from "./ffi.ts";
import { systemCallNumber } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

const BPF = systemCallNumber("bpf");
const EINTR = 4;

/**
 * bpf(2) without a check: the result, or the negative errno. `address` and `size` give a `union bpf_attr`
 * whose bytes beyond the command's fields are 0.
 */
export function bpfResult(command: BpfCommand, address: number, size: number): number {
  const { bpf, errno } = ffi();
  const result = bpf(BPF, command, address, size);
  return result === -1 ? -errno() : result;
}

/** bpf(2), checked. EINTR is retried. `object` names what it works on, such as `map "sessions"`. */
export function bpf(command: BpfCommand, attr: AttrBuffer, object: string | undefined): number {
  for (;;) {
    const result = bpfResult(command, attr.address, attr.size);
    if (result >= 0) return result;
    if (result !== -EINTR) throw bpfError(command, -result, object);
  }
}

/** The error for a command that failed; `detail` is a fact that was checked. */
export function bpfError(
  command: BpfCommand,
  errno: number,
  object: string | undefined,
  detail?: string,
): SystemCallError {
  return new SystemCallError({
    syscall: bpfCommandName(command),
    errno,
    ...(object !== undefined && { object }),
    ...(detail !== undefined && { detail }),
  });
}
