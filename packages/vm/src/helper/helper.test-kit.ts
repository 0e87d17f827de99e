// SPDX-License-Identifier: Apache-2.0

import { VmMemory } from "../memory/vm-memory.ts";
import { RunState } from "../run/run-state.ts";
import type { Helper, HelperFrame } from "./helper.ts";
import { helperImport } from "./helper-import.ts";

/** What a test may say of its frame. */
export interface FrameOptions {
  readonly regions?: boolean;
  readonly call?: HelperFrame["call"];
  readonly bind?: HelperFrame["bind"];
}

/** A frame over a memory of its own, in which programs may touch one page. */
export class TestFrame implements HelperFrame {
  readonly memory: VmMemory;
  readonly state: RunState;
  readonly call: HelperFrame["call"];
  readonly bind: HelperFrame["bind"];
  readonly attachCookie = 0x1234_5678_9abcn;
  readonly functionAddress = 0xffff_0000;
  /** The page that programs may touch. */
  readonly page: number;
  #next: number;

  constructor(options: FrameOptions = {}) {
    this.memory = new VmMemory({ size: 1 << 19, addressBits: 32, shared: false, regions: options.regions ?? true });
    this.state = new RunState(this.memory, 0);
    this.call = options.call ?? (() => 0);
    this.bind =
      options.bind ??
      ((callback) =>
        (...args) =>
          this.call(callback, ...args));
    this.page = this.memory.allocate(4096, 8);
    this.memory.setRegion(this.page, 4096, "write");
    this.#next = this.page;
  }

  /** Room in the page, for bytes, a C string or a length of zeros. */
  put(content: Uint8Array | string | number): number {
    const bytes =
      typeof content === "number"
        ? new Uint8Array(content)
        : typeof content === "string"
          ? new TextEncoder().encode(`${content}\0`)
          : content;
    const address = this.#next;
    this.#next += Math.ceil(bytes.length / 8) * 8 + 8;
    this.memory.slice(address, bytes.length).set(bytes);
    return address;
  }

  /** Gives back all room. */
  reset(): void {
    this.#next = this.page;
  }

  bytes(address: number, length: number): Uint8Array {
    return this.memory.slice(address, length).slice();
  }

  /** Until the NUL. */
  text(address: number): string {
    const start = this.memory.index(address);
    return Buffer.from(this.memory.bytes.subarray(start, this.memory.bytes.indexOf(0, start))).toString("latin1");
  }

  /** Calls a helper as a module would, with registers, and returns r0 as a signed number of 64 bits. */
  invoke(helpers: Iterable<Helper>, name: string, ...registers: readonly (number | bigint)[]): bigint {
    const helper = [...helpers].find((one) => one.name === name);
    if (helper === undefined) throw new Error(`no helper ${name}`);
    const imported = helperImport(helper, this, () => undefined);
    const raw = imported.parameters.map((type, i) => {
      const register = BigInt.asUintN(64, BigInt(registers[i] ?? 0));
      if (type === "i64") return BigInt.asIntN(64, register);
      if (type === "i32") return Number(BigInt.asIntN(32, register));
      return Number(helper.parameters[i] === "i64" ? BigInt.asIntN(64, register) : register);
    });
    const result = (imported.function as (...args: (number | bigint)[]) => unknown)(...raw);
    if (helper.result === "void") return 0n;
    if (helper.result === "u32") return BigInt((result as number) >>> 0);
    if (helper.result === "i32") return BigInt((result as number) | 0);
    return typeof result === "bigint" ? BigInt.asIntN(64, result) : BigInt(Math.trunc(result as number));
  }
}
