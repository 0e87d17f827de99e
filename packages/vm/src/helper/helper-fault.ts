// SPDX-License-Identifier: Apache-2.0

import { VmFault } from "../vm-fault.ts";
import type { Helper } from "./helper.ts";

/** What a helper threw, as the fault that ends the run; faults and traps of callbacks remain what they are. */
export function helperFault(helper: Helper, error: unknown): unknown {
  if (error instanceof VmFault || error instanceof WebAssembly.RuntimeError) return error;
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new VmFault("helper", `bpf_${helper.name} threw ${problem}`, { cause: error });
}
