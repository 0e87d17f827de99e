// SPDX-License-Identifier: Apache-2.0

import { FRAME_STRIDE, FUNCTION_ADDRESS } from "./code/function-writer.ts";
import type { TranslatedModule } from "./code/module-writer.ts";
import type { HelperFrame } from "./helper/helper.ts";
import type { VmMemory } from "./memory/vm-memory.ts";
import { RunRoom } from "./run/run-room.ts";
import { RunState } from "./run/run-state.ts";
import { VmFault } from "./vm-fault.ts";

/** Frames that the stack of a worker has room for: runs within runs, and callbacks within callbacks. */
const FRAMES = 128;

/** One thread's share in an engine: its stack, its state, and the table of its functions. */
export class Worker {
  readonly memory: VmMemory;
  readonly state: RunState;
  readonly table: WebAssembly.Table;
  readonly fuel: WebAssembly.Global<"i64"> = new WebAssembly.Global({ value: "i64", mutable: true }, 0n);
  readonly stackTop: WebAssembly.Global<"i64">;
  readonly result: WebAssembly.Global<"i64"> = new WebAssembly.Global({ value: "i64", mutable: true }, 0n);
  /** Room for packet and context of the run at hand. */
  readonly room: RunRoom;
  /** What helpers in JavaScript reach. */
  readonly frame: HelperFrame;
  /** Runs within runs. */
  depth = 0;
  /** Whether a run was ended since the outermost one began: it may have left something undone. */
  faulted = false;
  readonly #imports: WebAssembly.ModuleImports;
  readonly #stackEnd: bigint;
  /** The next free index of the table. */
  #tableLength: number;
  readonly #freed = new Map<number, number[]>();

  /** `firstIndex`: what is before it in the table is not reserved; 0 stands for no function. */
  constructor(memory: VmMemory, cpu: number, firstIndex = 1) {
    this.memory = memory;
    this.state = new RunState(memory, cpu);
    this.#tableLength = firstIndex;
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: firstIndex + 1023 });
    const stack = memory.allocate(FRAMES * FRAME_STRIDE, 16);
    // r10 is the end of a frame; its 512 bytes are open, the gap to the next is not.
    for (let i = 0; i < FRAMES; i++) memory.setRegion(stack + i * FRAME_STRIDE + FRAME_STRIDE - 512, 512, "write");
    this.#stackEnd = BigInt(stack + FRAMES * FRAME_STRIDE);
    this.stackTop = new WebAssembly.Global({ value: "i64", mutable: true }, this.#stackEnd);
    this.room = new RunRoom(memory, this.state);
    this.frame = new WorkerFrame(this);
    this.#imports = {
      memory: memory.wasm,
      ...(memory.regions !== undefined && { regions: memory.regions }),
      fuel: this.fuel,
      stackTop: this.stackTop,
      // Below it there must be room for the deepest chain of calls.
      stackLimit: new WebAssembly.Global({ value: "i64" }, BigInt(stack + 16 * FRAME_STRIDE)),
      runState: new WebAssembly.Global({ value: "i64" }, BigInt(this.state.address)),
      result: this.result,
      table: this.table,
    };
  }

  /** Makes an instance of a module of this engine. */
  instantiate(module: WebAssembly.Module, helpers: readonly WebAssembly.ImportValue[]): WebAssembly.Exports {
    const h = Object.fromEntries(helpers.map((helper, i) => [i, helper]));
    return new WebAssembly.Instance(module, { e: this.#imports, h }).exports;
  }

  /** After a run that was ended: nothing is on the stack any more. */
  resetStack(): void {
    this.stackTop.value = this.#stackEnd;
  }

  /** Calls a function by its address, as `ld_imm64` loads it. */
  call(address: number, args: readonly number[]): number {
    const call = this.table.get(address - FUNCTION_ADDRESS) as TableFunction | null;
    if (call === null) throw new VmFault("call", `a call of 0x${address.toString(16)}, where there is no function`);
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = args;
    return Number(BigInt.asIntN(64, call(BigInt(a), BigInt(b), BigInt(c), BigInt(d), BigInt(e), this.stackTop.value)));
  }

  /** Indices of the table for so many functions. */
  reserve(count: number): number {
    const freed = this.#freed.get(count)?.pop();
    if (freed !== undefined) return freed;
    const first = this.#tableLength;
    this.#tableLength += count;
    if (this.#tableLength > this.table.length) this.table.grow(Math.max(this.table.length, count));
    return first;
  }

  /** Gives back what `reserve` gave. */
  release(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.table.set(first + i, null);
    this.#freed.set(count, [...(this.#freed.get(count) ?? []), first]);
  }
}

type TableFunction = (a: bigint, b: bigint, c: bigint, d: bigint, e: bigint, frame: bigint) => bigint;

class WorkerFrame implements HelperFrame {
  readonly memory: VmMemory;
  readonly state: RunState;
  readonly attachCookie = 0n;
  readonly functionAddress = 0;
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.memory = worker.memory;
    this.state = worker.state;
  }

  call(callback: number, ...args: readonly number[]): number {
    return this.#worker.call(callback, args);
  }

  bind(callback: number): (...args: readonly number[]) => number {
    return (...args) => this.#worker.call(callback, args);
  }
}

/** Compiles a translated module. */
export function compileModule(translated: TranslatedModule): WebAssembly.Module {
  return new WebAssembly.Module(translated.bytes);
}
