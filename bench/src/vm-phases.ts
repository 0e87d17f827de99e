// SPDX-License-Identifier: Apache-2.0

import type { LoadableProgram } from "@skep/ebpf";
import { VmEngine } from "@skep/vm";

/** What the userspace engine took to bring a program to its first result; milliseconds. */
export interface Phases {
  /** Taking the instructions apart and checking them. */
  readonly validate: number;
  /** Writing the WebAssembly module. */
  readonly translate: number;
  /** All of it: both of these, compiling the module in V8, the first run. */
  readonly firstResult: number;
  /** What the program returned. */
  readonly returned: number;
}

/** Loads a program into an engine of its own, which is made before, and runs it. */
export function phasesOf(program: LoadableProgram): Phases {
  using engine = new VmEngine();
  const start = performance.now();
  using loaded = engine.loadProgram(program);
  const { returned } = loaded.run({ data: frame });
  const firstResult = performance.now() - start;
  const { validate, translate } = loaded.loadTimes;
  return { validate, translate, firstResult, returned };
}

const frame: Uint8Array = new Uint8Array(64);
