// SPDX-License-Identifier: Apache-2.0

import {
  type AttachTarget,
  type BpfMap,
  type Btf,
  type Capabilities,
  ClosedError,
  type Engine,
  InvalidValueError,
  type KernelConfig,
  type LoadableProgram,
  type MapSpec,
  MapType,
  NotSupportedError,
  type Program,
  type TypesHandle,
} from "@skep/ebpf";
import { clockOffset, type FileDescriptor, unsupportedReason } from "@skep/linux";
import { ArenaMapping } from "./arena-mapping.ts";
import { attachProgram } from "./attach-program.ts";
import { attachStructOps } from "./attach-struct-ops.ts";
import { usdtProgramSpec } from "./attach-usdt.ts";
import { openToken, type TokenSource } from "./bpf-token.ts";
import { completeMapSpec, createKernelMap } from "./create-map.ts";
import { hasKernelBtf, LoadedTypes, relocationTypes } from "./kernel-btf.ts";
import { kernelConfig } from "./kernel-config.ts";
import type { KernelLink } from "./kernel-link.ts";
import { KernelMap } from "./kernel-map.ts";
import { KernelProgram } from "./kernel-program.ts";
import { loadKernelProgram } from "./load-program.ts";
import { moduleTypes } from "./module-types.ts";
import { openOrPin, unpin } from "./pin.ts";
import { createStructOpsMap } from "./struct-ops-map.ts";
import { USDT_ADDRESSES, USDT_SPECS, UsdtSpecs } from "./usdt-specs.ts";

/** Two measurements of the clocks' distance differ by some hundred nanoseconds; by this many, a clock was set. */
const CLOCK_STEP = 1_000_000n;
/** Milliseconds between measurements. */
const CLOCK_INTERVAL = 1000;

/** How a {@link KernelEngine} comes by its rights. */
export interface KernelEngineOptions {
  /**
   * The root of a mounted BPF file system that delegates rights to this user namespace, such as `/sys/fs/bpf` in a
   * container, or the descriptor of a token (6.9). None unless given: the process's own capabilities count.
   */
  readonly token?: TokenSource;
}

/**
 * The running kernel as an engine, over bpf(2). What it makes belongs to the caller, who closes it; the kernel
 * takes it all back when this process ends, however it ends, but for maps that were to be pinned.
 */
export class KernelEngine implements Engine {
  readonly name = "kernel";
  readonly capabilities: Capabilities;
  readonly #usdt = new WeakMap<KernelMap, UsdtSpecs>();
  readonly #token: FileDescriptor | undefined;
  #closed = false;
  #clockOffset = 0n;
  #clockDue = 0;

  /**
   * Throws NotSupportedError where no system call can be made, and where a token is asked for and there are none; needs no
   * privilege by itself.
   */
  constructor(options: KernelEngineOptions = {}) {
    const reason = unsupportedReason();
    if (reason !== undefined) throw new NotSupportedError(`the kernel engine (${reason})`);
    this.capabilities = { recording: false, kernelTypes: hasKernelBtf() || relocationTypes() !== undefined };
    if (options.token !== undefined) this.#token = openToken(options.token);
  }

  /**
   * Stays the same for as long as nobody sets the wall clock or sends the machine to sleep, which is looked for once a
   * second: one moment of the kernel's clock is one time, in whichever batch it comes.
   */
  clockOffset(): bigint {
    this.#checkOpen();
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
    this.#checkOpen();
    return relocationTypes();
  }

  *moduleTypes(): Generator<Btf> {
    this.#checkOpen();
    for (const { btf } of moduleTypes()) yield btf;
  }

  kernelConfig(): KernelConfig {
    this.#checkOpen();
    return kernelConfig();
  }

  loadTypes(btf: Btf): LoadedTypes {
    this.#checkOpen();
    return new LoadedTypes(btf, this.#token?.number);
  }

  createMap(
    spec: MapSpec,
    types: TypesHandle | undefined,
    btf: Btf | undefined,
    programs?: ReadonlyMap<string, Program>,
  ): KernelMap {
    this.#checkOpen();
    if (spec.structOps !== undefined) {
      const loaded = types instanceof LoadedTypes ? types : undefined;
      return createStructOpsMap(spec, spec.structOps, loaded, programs, this.#token?.number);
    }
    const complete = completeMapSpec(spec);
    const create = (): FileDescriptor =>
      createKernelMap(complete, types instanceof LoadedTypes ? types : undefined, this.#token?.number);
    const { pinPath } = spec;
    if (spec.pinning === "by-name" && pinPath === undefined) {
      throw new InvalidValueError(
        `map "${spec.name}" is to be pinned by its name, and no directory is given: set pinDirectory, or its pinning to "none"`,
      );
    }
    const { fd, made } = pinPath === undefined ? { fd: create(), made: true } : openOrPin(complete, pinPath, create);
    const newPin = made ? pinPath : undefined;
    using unwind = new DisposableStack();
    unwind.use(fd);
    if (newPin !== undefined) unwind.defer(() => unpin(newPin));
    let arena: ArenaMapping | undefined;
    // One that was pinned may be mapped elsewhere, and can be mapped here only where its address is told.
    if (complete.type === MapType.ARENA && (made || complete.extra !== 0n)) {
      arena = unwind.use(new ArenaMapping(fd, complete));
      if (made && complete.data !== undefined) arena.write(complete.data.contents);
    }
    const map = new KernelMap(complete, fd, btf, arena, newPin);
    unwind.move();
    return map;
  }

  loadProgram(program: LoadableProgram): KernelProgram {
    this.#checkOpen();
    const spec = usdtProgramSpec(program.spec);
    const { fd, verifierLog } = loadKernelProgram({ ...program, spec }, this.#token?.number);
    const btf = program.types instanceof LoadedTypes ? program.types.btf : undefined;
    return new KernelProgram(spec, fd, { usdt: this.#usdtSpecs(program.maps), btf, verifierLog });
  }

  attach(program: Program, target: AttachTarget): KernelLink {
    this.#checkOpen();
    if (!(program instanceof KernelProgram)) {
      throw new InvalidValueError(`program "${program.name}" belongs to another engine`);
    }
    if (program.closed) throw new ClosedError(`program "${program.name}"`);
    return attachProgram(program, target);
  }

  attachStructOps(map: BpfMap): KernelLink {
    this.#checkOpen();
    return attachStructOps(map);
  }

  /** Makes nothing from now on; what it made stays with its owners. */
  close(): void {
    this.#closed = true;
    this.#token?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What the programs that share a map of USDT arguments share, too. */
  #usdtSpecs(maps: ReadonlyMap<string, BpfMap>): UsdtSpecs | undefined {
    const map = maps.get(USDT_SPECS);
    if (!(map instanceof KernelMap)) return undefined;
    let specs = this.#usdt.get(map);
    if (specs === undefined) {
      const addresses = maps.get(USDT_ADDRESSES);
      specs = new UsdtSpecs(map, addresses instanceof KernelMap ? addresses : undefined);
      this.#usdt.set(map, specs);
    }
    return specs;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("kernel engine");
  }
}
