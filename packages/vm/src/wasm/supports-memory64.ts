// SPDX-License-Identifier: Apache-2.0

/** A module with one memory of 64-bit addresses. */
const module = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1);

/** Whether the runtime has memories of 64-bit addresses (memory64: Node 24, Chrome 133, Firefox 134). */
export function supportsMemory64(): boolean {
  return WebAssembly.validate(module);
}
