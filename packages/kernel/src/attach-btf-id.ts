// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  type Btf,
  BtfKind,
  InvalidValueError,
  NotSupportedError,
  type ProgramSpec,
  ProgramType,
} from "@skep/ebpf";
import { kernelBtf } from "./kernel-btf.ts";
import { moduleTypes } from "./module-types.ts";

/** How the kernel names the type that a program of an attach type is verified against. */
const targets: Readonly<Record<number, { readonly prefix: string; readonly kind: number; readonly what: string }>> = {
  [AttachType.TRACE_RAW_TP]: { prefix: "btf_trace_", kind: BtfKind.TYPEDEF, what: "tracepoint" },
  [AttachType.TRACE_FENTRY]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.TRACE_FEXIT]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.MODIFY_RETURN]: { prefix: "", kind: BtfKind.FUNC, what: "function" },
  [AttachType.TRACE_ITER]: { prefix: "bpf_iter_", kind: BtfKind.FUNC, what: "iterator" },
  [AttachType.LSM_MAC]: { prefix: "bpf_lsm_", kind: BtfKind.FUNC, what: "LSM hook" },
  [AttachType.LSM_CGROUP]: { prefix: "bpf_lsm_", kind: BtfKind.FUNC, what: "LSM hook" },
};

/** A type of the kernel's own, or of one of its modules. */
export interface KernelTypeId {
  readonly id: number;
  /** Undefined for the kernel itself. */
  readonly module?: string;
}

/**
 * `attach_btf_id` for a tracing or LSM program: the id, in the kernel's types or a module's, of what it observes. 0 for
 * programs that need none. Throws InvalidValueError when the kernel has no such tracepoint or function.
 */
export function attachBtfId(spec: ProgramSpec): KernelTypeId {
  if (spec.type !== ProgramType.TRACING && spec.type !== ProgramType.LSM) return { id: 0 };
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
  const find = (types: Btf): number | undefined => types.idsByName(name, target.kind)[0];
  const own = find(btf);
  if (own !== undefined) return { id: own };
  for (const { module, btf: types } of moduleTypes()) {
    const id = find(types);
    if (id !== undefined) return { id, module };
  }
  throw new InvalidValueError(`${object}: the kernel has no ${target.what} "${spec.attachTo}"`);
}
