// SPDX-License-Identifier: Apache-2.0

import { objectFromBase64 } from "@skep/ebpf";
import type { MapConstants, RuntimeFunction } from "./runtime-function.ts";

/** What was decoded: an engine has some hundred functions, and a program calls few. */
const decoded = new Map<string, Uint8Array>();

/** A function of the runtime from its text in a `*-code.ts`, decoded when it is first translated. */
export function storedFunction(name: string, base64: string, constants: MapConstants | undefined): RuntimeFunction {
  return {
    name,
    constants,
    get instructions() {
      let bytes = decoded.get(base64);
      if (bytes === undefined) {
        bytes = objectFromBase64(base64);
        decoded.set(base64, bytes);
      }
      return bytes;
    },
  };
}
