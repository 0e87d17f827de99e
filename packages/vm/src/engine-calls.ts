// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "@skep/ebpf";
import type { RuntimeCalls } from "./helper/runtime-calls.ts";
import type { VmMap } from "./map/vm-map.ts";
import type { CompiledRuntime } from "./runtime/compile-runtime.ts";
import type { RuntimeCall, RuntimeFunction } from "./runtime/runtime-function.ts";

/** Functions of the runtime for helpers in JavaScript, each compiled when it is first called. */
export class EngineCalls implements RuntimeCalls {
  readonly #helpers: ReadonlyMap<number, RuntimeFunction>;
  readonly #compile: (functions: readonly RuntimeFunction[]) => CompiledRuntime;
  readonly #calls = new Map<RuntimeFunction, RuntimeCall>();

  constructor(
    helpers: ReadonlyMap<number, RuntimeFunction>,
    compile: (functions: readonly RuntimeFunction[]) => CompiledRuntime,
  ) {
    this.#helpers = helpers;
    this.#compile = compile;
  }

  map(map: VmMap, id: number, a?: number, b?: number, c?: number, d?: number): number {
    const runtime = map.functions.get(id);
    if (runtime === undefined) throw new NotSupportedError(`helper ${id} of map "${map.spec.name}"`);
    return this.#call(runtime)(map.address, a, b, c, d);
  }

  helper(id: number, ...args: readonly number[]): number {
    const runtime = this.#helpers.get(id);
    if (runtime === undefined) throw new NotSupportedError(`helper ${id} in C`);
    return this.#call(runtime)(...args);
  }

  #call(runtime: RuntimeFunction): RuntimeCall {
    let call = this.#calls.get(runtime);
    if (call === undefined) {
      call = this.#compile([runtime]).calls[runtime.name] as RuntimeCall;
      this.#calls.set(runtime, call);
    }
    return call;
  }
}
