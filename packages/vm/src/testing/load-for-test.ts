// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, type Engine, type LoadOptions, load, parseObject } from "@skep/ebpf";
import { expect } from "vitest";
import { readObject } from "../node/read-object.ts";
import { VmEngine } from "../vm-engine.ts";
import type { VmEngineOptions } from "../vm-engine-options.ts";
import { matchers } from "./matchers.ts";
import { TestApp } from "./test-app.ts";

/** How to load for a test. */
export interface TestLoadOptions extends Omit<LoadOptions, "engine"> {
  /** Another engine, such as `new KernelEngine()`: it stays the caller's. A VmEngine for this test alone unless given. */
  readonly engine?: Engine;
  /** How that VmEngine is to be: the task that programs find themselves in, a clock that stands still. */
  readonly vm?: Omit<VmEngineOptions, "trace">;
}

/**
 * Loads an object to test its programs without a kernel, and teaches vitest's `expect` the matchers of {@link matchers}.
 *
 * ```ts
 * using app = loadForTest(new URL("./drop.bpf.o", import.meta.url), { variables: { port: 80 } });
 * const result = app.program("drop").run({ data: packet(ethernet(), ipv4(), tcp({ destinationPort: 80 })) });
 * expect(result).toHaveVerdict("XDP_DROP");
 * expect(app.map("dropped")).toHaveEntry(80, 1n);
 * ```
 *
 * @param object - path or file URL of an object, its bytes, or what `parseObject` or a generated module made of it
 * @throws what `load` throws, and SkepError `ERR_OBJECT` for a file that cannot be read or parsed
 */
export function loadForTest(
  object: string | URL | Uint8Array | CollectionSpec,
  options: TestLoadOptions = {},
): TestApp {
  expect.extend(matchers);
  const { engine: given, vm, ...rest } = options;
  const spec = specOf(object);
  using unwind = new DisposableStack();
  const printed: string[] = [];
  const engine = given ?? unwind.use(new VmEngine({ ...vm, trace: (text) => printed.push(text) }));
  const collection = unwind.use(load(spec, { ...rest, engine }));
  const resources = unwind.move();
  return new TestApp({ engine, collection, printed: given === undefined ? printed : undefined, resources });
}

function specOf(object: string | URL | Uint8Array | CollectionSpec): CollectionSpec {
  if (typeof object === "string" || object instanceof URL) return readObject(object);
  return object instanceof Uint8Array ? parseObject(object) : object;
}
