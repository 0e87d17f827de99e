// SPDX-License-Identifier: Apache-2.0

import { ClosedError, type Program, type ProgramSpec } from "@skep/ebpf";
import { type FileDescriptor, type TestRunOptions, type TestRunResult, testRunProgram } from "@skep/linux";

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
