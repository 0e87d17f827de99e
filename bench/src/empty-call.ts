// SPDX-License-Identifier: Apache-2.0

/** A WebAssembly function that takes a context's address and returns 2, XDP_PASS: the least that a call can be. */
export function emptyCall(): (context: number) => number {
  const module = new WebAssembly.Module(
    Uint8Array.of(
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      // Type 0: (i32) -> i32.
      ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f],
      // Function 0 has type 0.
      ...[0x03, 0x02, 0x01, 0x00],
      // Export "f": function 0.
      ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
      // Its code: no locals, i32.const 2, end.
      ...[0x0a, 0x06, 0x01, 0x04, 0x00, 0x41, 0x02, 0x0b],
    ),
  );
  const { f } = new WebAssembly.Instance(module).exports;
  if (typeof f !== "function") throw new Error("the module exports no function");
  return f as (context: number) => number;
}
