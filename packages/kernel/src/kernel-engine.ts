// SPDX-License-Identifier: Apache-2.0

import {
  type AttachTarget,
  type Btf,
  type Capabilities,
  ClosedError,
  type Engine,
  InvalidValueError,
  type LoadableProgram,
  type MapSpec,
  NotSupportedError,
  type Program,
  type TypesHandle,
} from "@skep/ebpf";
import { clockOffset, type FileDescriptor, unsupportedReason } from "@skep/linux";
import { attachProgram } from "./attach-program.ts";
import { completeMapSpec, createKernelMap } from "./create-map.ts";
import { hasKernelBtf, kernelBtf, LoadedTypes } from "./kernel-btf.ts";
import type { KernelLink } from "./kernel-link.ts";
import { KernelMap } from "./kernel-map.ts";
import { KernelProgram } from "./kernel-program.ts";
import { loadKernelProgram } from "./load-program.ts";
import { openOrPin } from "./pin.ts";

/** Two measurements of the clocks' distance differ by some hundred nanoseconds; by this many, a clock was set. */
const CLOCK_STEP = 1_000_000n;
/** Milliseconds between measurements. */
const CLOCK_INTERVAL = 1000;

/**
 * The running kernel as an engine, over bpf(2). What it makes belongs to the caller, who closes it; the kernel
 * takes it all back when this process ends, however it ends, but for maps that were to be pinned.
 */
export class KernelEngine implements Engine {
  readonly name = "kernel";
  readonly capabilities: Capabilities;
  #closed = false;
  #clockOffset = 0n;
  #clockDue = 0;

  /** Throws NotSupportedError where no system call can be made; needs no privilege by itself. */
  constructor() {
    const reason = unsupportedReason();
    if (reason !== undefined) throw new NotSupportedError(`the kernel engine (${reason})`);
    this.capabilities = { recording: false, kernelTypes: hasKernelBtf() };
  }

  /**
   * Stays the same for as long as nobody sets the wall clock or sends the machine to sleep, which is looked for once a
   * second: one moment of the kernel's clock is one time, in whichever batch it comes.
   */
  clockOffset(): bigint {
    const now = performance.now();
    if (now >= this.#clockDue) {
      const measured = clockOffset();
      const moved = measured - this.#clockOffset;
      if (moved > CLOCK_STEP || moved < -CLOCK_STEP) this.#clockOffset = measured;
      this.#clockDue = now + CLOCK_INTERVAL;
    }
    return this.#clockOffset;
  }

  kernelTypes(): Btf | undefined {
    return kernelBtf();
  }

  loadTypes(btf: Btf): LoadedTypes {
    this.#checkOpen();
    return new LoadedTypes(btf);
  }

  createMap(spec: MapSpec, types: TypesHandle | undefined, btf: Btf | undefined): KernelMap {
    this.#checkOpen();
    const complete = completeMapSpec(spec);
    const create = (): FileDescriptor => createKernelMap(complete, types instanceof LoadedTypes ? types : undefined);
    const { pinPath } = spec;
    if (spec.pinning === "by-name" && pinPath === undefined) {
      throw new InvalidValueError(
        `map "${spec.name}" is to be pinned by its name, and no directory is given: set pinDirectory, or its pinning to "none"`,
      );
    }
    const fd = pinPath === undefined ? create() : openOrPin(complete, pinPath, create);
    try {
      return new KernelMap(complete, fd, btf);
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  loadProgram(program: LoadableProgram): KernelProgram {
    this.#checkOpen();
    return new KernelProgram(program.spec, loadKernelProgram(program));
  }

  attach(program: Program, target: AttachTarget): KernelLink {
    this.#checkOpen();
    if (!(program instanceof KernelProgram)) {
      throw new InvalidValueError(`program "${program.name}" belongs to another engine`);
    }
    return attachProgram(program, target);
  }

  /** Makes nothing from now on; what it made stays with its owners. */
  close(): void {
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("kernel engine");
  }
}
