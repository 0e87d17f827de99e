// SPDX-License-Identifier: Apache-2.0

import { ModuleWriter } from "../code/module-writer.ts";
import type { TranslationOptions } from "../code/translation-unit.ts";
import type { Worker } from "../worker.ts";
import type { RuntimeCall, RuntimeFunction } from "./runtime-function.ts";

/** Functions of the runtime, made callable. */
export interface CompiledRuntime {
  /** From JavaScript, by name. */
  readonly calls: Readonly<Record<string, RuntimeCall>>;
  /** As entries of the engine's table, by name. */
  readonly entries: Readonly<Record<string, WebAssembly.ExportValue>>;
}

/** Translates functions of the runtime into a module of their own. */
export function compileRuntime(
  worker: Worker,
  options: TranslationOptions,
  functions: readonly RuntimeFunction[],
): CompiledRuntime {
  const translated = new ModuleWriter(options, undefined).runtimeModule(functions);
  const exports = worker.instantiate(new WebAssembly.Module(translated.bytes), []);
  const calls: Record<string, RuntimeCall> = {};
  const entries: Record<string, WebAssembly.ExportValue> = {};
  for (const { name } of functions) {
    const call = exports[name] as (a: number, b: number, c: number, d: number, e: number) => number;
    calls[name] = (a = 0, b = 0, c = 0, d = 0, e = 0) => call(a, b, c, d, e) >>> 0;
    entries[name] = exports[`t:${name}`] as WebAssembly.ExportValue;
  }
  return { calls, entries };
}
