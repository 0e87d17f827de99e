// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import type { ProgramType } from "./program-type.ts";

/** An `ld_imm64` whose immediate the loader fills in. */
export interface MapReference {
  /** Index of the instruction, counted in 8-byte slots. */
  readonly instruction: number;
  readonly map: string;
  /** Undefined: the map itself. A number: the address of this byte of the value under key 0. */
  readonly valueOffset: number | undefined;
}

/** A call or an `ld_imm64` that leads to a symbol of the kernel (`__ksym`); the engine fills it in. */
export interface ExternReference {
  /** Index of the instruction, counted in 8-byte slots. */
  readonly instruction: number;
  /** Of `CollectionSpec.externs`. */
  readonly name: string;
}

/** A CO-RE relocation as .BTF.ext holds it (`struct bpf_core_relo`). */
export interface CoreRelocation {
  /** Index of the instruction, counted in 8-byte slots. */
  readonly instruction: number;
  /** Type id in the object's BTF. */
  readonly typeId: number;
  /** Access string, such as `0:1:2`. */
  readonly access: string;
  /** `enum bpf_core_relo_kind`. */
  readonly kind: number;
}

/** A record of func_info: which BTF function begins at which instruction. */
export interface FunctionInfo {
  readonly instruction: number;
  readonly typeId: number;
}

/** A record of line_info, strings by their offset in the object's BTF. */
export interface LineInfo {
  readonly instruction: number;
  readonly fileNameOffset: number;
  readonly lineOffset: number;
  readonly lineColumn: number;
}

/** A program as an object file declares it, with the subprograms that it calls appended and its calls resolved. */
export interface ProgramSpec {
  readonly name: string;
  /** The ELF section, such as `tp_btf/sched_process_exec`. */
  readonly section: string;
  type: ProgramType;
  /** `expected_attach_type` of BPF_PROG_LOAD. */
  expectedAttachType: number;
  /** `BPF_F_*` of BPF_PROG_LOAD, such as BPF_F_SLEEPABLE. */
  flags: number;
  /**
   * What the program is verified against: a kernel function or tracepoint, a function of another program, or for
   * struct_ops a member, `tcp_congestion_ops:ssthresh`; empty for others.
   */
  attachTo: string;
  /** Where the section's name says that it goes. */
  readonly target: AttachTarget | undefined;
  /** eBPF instructions, 8 bytes a slot, in the object's byte order. */
  readonly instructions: Uint8Array;
  readonly mapReferences: readonly MapReference[];
  readonly externReferences: readonly ExternReference[];
  readonly coreRelocations: readonly CoreRelocation[];
  readonly functionInfo: readonly FunctionInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly license: string;
  /** `version` section, for kprobes before 5.0. */
  readonly kernelVersion: number;
  /**
   * Index of the network interface that the program is bound to, in the network namespace of this thread: XDP with
   * BPF_F_XDP_DEV_BOUND_ONLY (1 << 6) in `flags`, so that it may call the driver's functions for metadata (6.3).
   */
  interfaceIndex?: number;
}
