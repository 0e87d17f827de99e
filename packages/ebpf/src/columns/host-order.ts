// SPDX-License-Identifier: Apache-2.0

/** Whether typed arrays of this machine hold the lowest byte first. */
export function hostIsLittleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
}
