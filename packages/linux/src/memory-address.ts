// SPDX-License-Identifier: Apache-2.0

import { ffi } from "./ffi.ts";

const addresses = new WeakMap<ArrayBufferLike, number>();

/**
 * The address of a view's first byte, 0 for an empty view. A buffer's address is asked for once and
 * remembered for its life. The memory stays put, but only for as long as something refers to the view: keep
 * it in reach until the kernel is done with the address.
 */
export function addressOf(view: ArrayBufferView): number {
  // Small typed arrays live on V8's heap, where they move; reading `buffer` gives them memory of their own.
  const buffer = view.buffer;
  let address = addresses.get(buffer);
  if (address === undefined) {
    address = ffi().address(buffer);
    addresses.set(buffer, address);
  }
  return address === 0 ? 0 : address + view.byteOffset;
}

/**
 * Remembers the address of the view that was used last: a loop that hands in the same array again and again
 * pays one comparison. It keeps that array alive, so the address stays good.
 */
export class LastAddress {
  #view: Uint8Array | undefined;
  #address = 0;

  /** The address of `view`; see {@link addressOf}. */
  of(view: Uint8Array): number {
    if (view !== this.#view) {
      this.#address = addressOf(view);
      this.#view = view;
    }
    return this.#address;
  }
}
