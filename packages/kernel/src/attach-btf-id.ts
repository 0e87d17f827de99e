// SPDX-License-Identifier: Apache-2.0

import { AttachType, BtfKind, InvalidValueError, NotSupportedError, type ProgramSpec, ProgramType } from "@skep/ebpf";
import { kernelBtf } from "./kernel-btf.ts";

/** How the kernel names the type that a program of an attach type is verified against. */
const targets: Readonly<Record<number, { readonly prefix: string; readonly kind: number; readonly what: string }>> = {
  [AttachType.TRACE_RAW_TP]: { prefix: "btf_trace_", kind: BtfKind.TYPEDEF, what: "tracepoint" },
  [AttachType.TRACE_FENTRY]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.TRACE_FEXIT]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.MODIFY_RETURN]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.TRACE_ITER]: { prefix: "bpf_iter_", kind: BtfKind.FUNC, what: "iterator" },
  [AttachType.LSM_MAC]: { prefix: "bpf_lsm_", kind: BtfKind.FUNC, what: "LSM hook" },
};

/**
 * `attach_btf_id` for a tracing or LSM program: the id, in the kernel's types, of what it observes. 0 for programs that
 * need none. Throws InvalidValueError when the kernel has no such tracepoint or function.
 */
export function attachBtfId(spec: ProgramSpec): number {
  if (spec.type !== ProgramType.TRACING && spec.type !== ProgramType.LSM) return 0;
  const object = `program "${spec.name}"`;
  const target = targets[spec.expectedAttachType];
  if (target === undefined) {
    throw new NotSupportedError(`${object}: a tracing program of attach type ${spec.expectedAttachType}`);
  }
  if (spec.attachTo === "") {
    throw new InvalidValueError(`${object}: section "${spec.section}" names no ${target.what}; set attachTo`);
  }
  const btf = kernelBtf();
  if (btf === undefined) throw new NotSupportedError(`${object}: kernel types in /sys/kernel/btf/vmlinux`, "5.4");
  const name = target.prefix + spec.attachTo;
  const id = btf.idsByName(name).find((candidate) => btf.typeById(candidate).kind === target.kind);
  if (id === undefined) throw new InvalidValueError(`${object}: the kernel has no ${target.what} "${spec.attachTo}"`);
  return id;
}
