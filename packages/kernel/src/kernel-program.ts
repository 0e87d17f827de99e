// SPDX-License-Identifier: Apache-2.0

import { type Btf, ClosedError, type Program, type ProgramSpec, ProgramType } from "@skep/ebpf";
import {
  bindMapToProgram,
  type FileDescriptor,
  pinBpfObject,
  type RunOptions,
  type RunResult,
  runProgram,
} from "@skep/linux";
import type { KernelMap } from "./kernel-map.ts";
import { type ProgramCode, readProgramCode } from "./program-code.ts";
import { type ProgramInfo, readProgramInfo } from "./program-info.ts";
import { disassembleLoaded, type LoadedInstruction, loadedInstructions } from "./program-instructions.ts";
import type { UsdtSpecs } from "./usdt-specs.ts";

/** What is known of a program besides its spec. */
export interface KernelProgramFacts {
  readonly usdt?: UsdtSpecs | undefined;
  readonly btf?: Btf | undefined;
  readonly verifierLog?: string;
}

/** A verified program, held by its descriptor: the kernel keeps it for as long as that or a link is open. */
export class KernelProgram implements Program {
  readonly name: string;
  /** As it was loaded. */
  readonly spec: ProgramSpec;
  /** Where it looks for the arguments of USDT probes, if it reads any. */
  readonly usdt: UsdtSpecs | undefined;
  /** The types of its object, which `spec.functionInfo` refers to; undefined when it was loaded by somebody else. */
  readonly btf: Btf | undefined;
  readonly verifierLog: string;
  readonly #fd: FileDescriptor;

  /** Takes over the descriptor. */
  constructor(spec: ProgramSpec, fd: FileDescriptor, facts: KernelProgramFacts = {}) {
    this.name = spec.name;
    this.spec = spec;
    this.usdt = facts.usdt;
    this.btf = facts.btf;
    this.verifierLog = facts.verifierLog ?? "";
    this.#fd = fd;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#fd.number === -1;
  }

  /** The program's descriptor. Throws ClosedError once it was given up. */
  get fd(): FileDescriptor {
    if (this.closed) throw new ClosedError(`program "${this.name}"`);
    return this.#fd;
  }

  /** What the kernel tells about it now, with its statistics. */
  info(): ProgramInfo {
    return readProgramInfo(this.fd, `program "${this.name}"`);
  }

  /**
   * Its instructions as the verifier left them, its machine code and what belongs to both. Throws SkepError
   * `ERR_RESTRICTED_KERNEL` when the kernel hides them from this process.
   */
  code(): ProgramCode {
    return readProgramCode(this.fd, `program "${this.name}"`);
  }

  /**
   * Its instructions as the verifier left them, with the names of functions, helpers and maps and the lines of C. Names of
   * maps and, of programs that others loaded, names of functions and lines need CAP_SYS_ADMIN; names of helpers the
   * addresses in /proc/kallsyms. Throws as `code` does.
   */
  instructions(): LoadedInstruction[] {
    return loadedInstructions(this.name, this.code(), this.btf);
  }

  /** The same as text, in the notation of `disassemble`. */
  disassemble(): string {
    return disassembleLoaded(this.name, this.code(), this.btf);
  }

  /** Gives it a name in a mounted BPF file system, where it stays until `unpin`, also past this process. */
  pin(path: string): void {
    pinBpfObject(this.fd, path, `program "${this.name}", pin ${path}`);
  }

  /** Keeps a map alive for as long as the program, although no instruction refers to it (BPF_PROG_BIND_MAP, 5.10). */
  bindMap(map: KernelMap): void {
    bindMapToProgram(this.fd, map.fd, `program "${this.name}", map "${map.spec.name}"`);
  }

  /** Runs it on given input (BPF_PROG_TEST_RUN, 4.12), for the types that can. */
  run(options: RunOptions = {}): RunResult {
    const object = `program "${this.name}"`;
    const { context, contextOutSize = 0, ...rest } = options;
    if (this.spec.type !== ProgramType.SYSCALL || context === undefined) return runProgram(this.fd, options, object);
    // What the program leaves of its context the kernel writes to where that came from, and takes no other room.
    const copy = new Uint8Array(context);
    const result = runProgram(this.fd, { ...rest, context: copy }, object);
    return { ...result, context: copy.subarray(0, contextOutSize) };
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
