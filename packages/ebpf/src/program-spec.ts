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
  /** Kernel function or tracepoint that a tracing program is verified against; empty for others. */
  attachTo: string;
  /** Where the section's name says that it goes. */
  readonly target: AttachTarget | undefined;
  /** eBPF instructions, 8 bytes a slot, in the object's byte order. */
  readonly instructions: Uint8Array;
  readonly mapReferences: readonly MapReference[];
  readonly coreRelocations: readonly CoreRelocation[];
  readonly functionInfo: readonly FunctionInfo[];
  readonly lineInfo: readonly LineInfo[];
  readonly license: string;
  /** `version` section, for kprobes before 5.0. */
  readonly kernelVersion: number;
}
