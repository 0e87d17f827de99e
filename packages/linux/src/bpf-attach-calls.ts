// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import type { FileDescriptor } from "./file-descriptor.ts";

/** The fields of BPF_PROG_ATTACH and BPF_PROG_DETACH. */
export interface AttachOptions {
  readonly program: FileDescriptor;
  /** A cgroup's or map's descriptor. */
  readonly target: FileDescriptor | number;
  /** `enum bpf_attach_type`. */
  readonly attachType: number;
  /** `BPF_F_ALLOW_OVERRIDE` 1, `BPF_F_ALLOW_MULTI` 2; 0 for detaching. */
  readonly flags?: number;
}

/** BPF_PROG_ATTACH (4.10). The attachment lasts until it is detached or its target goes, whoever ends. */
export function attachToTarget(options: AttachOptions, object?: string): void {
  bpf(BpfCommand.PROG_ATTACH, attachAttr(options), object);
}

/** BPF_PROG_DETACH (4.10). */
export function detachFromTarget(options: AttachOptions, object?: string): void {
  bpf(BpfCommand.PROG_DETACH, attachAttr({ ...options, flags: 0 }), object);
}

function attachAttr({ program, target, attachType, flags = 0 }: AttachOptions): AttrBuffer {
  return new AttrBuffer(20)
    .i32(0, typeof target === "number" ? target : target.number)
    .i32(4, program.number)
    .u32(8, attachType)
    .u32(12, flags);
}
