// SPDX-License-Identifier: Apache-2.0

import { ClosedError, type Program, type ProgramSpec } from "@skep/ebpf";
import {
  bindMapToProgram,
  type FileDescriptor,
  pinBpfObject,
  type TestRunOptions,
  type TestRunResult,
  testRunProgram,
} from "@skep/linux";
import type { KernelMap } from "./kernel-map.ts";
import { type ProgramInfo, readProgramInfo } from "./program-info.ts";

/** A verified program, held by its descriptor: the kernel keeps it for as long as that or a link is open. */
export class KernelProgram implements Program {
  readonly name: string;
  /** As it was loaded. */
  readonly spec: ProgramSpec;
  readonly #fd: FileDescriptor;

  /** Takes over the descriptor. */
  constructor(spec: ProgramSpec, fd: FileDescriptor) {
    this.name = spec.name;
    this.spec = spec;
    this.#fd = fd;
  }

  /** The program's descriptor. Throws ClosedError once it was given up. */
  get fd(): FileDescriptor {
    if (this.#fd.number === -1) throw new ClosedError(`program "${this.name}"`);
    return this.#fd;
  }

  /** What the kernel tells about it now, with its statistics. */
  info(): ProgramInfo {
    return readProgramInfo(this.fd, `program "${this.name}"`);
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
  testRun(options: TestRunOptions = {}): TestRunResult {
    return testRunProgram(this.fd, options, `program "${this.name}"`);
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
