// SPDX-License-Identifier: Apache-2.0

/** Bytes of one instruction pointer. */
export const ADDRESS_BYTES = 8;

/**
 * The addresses of an `addresses` cell as `0x` and lower-case hexadecimal digits without leading zeros. Bytes
 * after the last whole address are ignored.
 */
export function addressesBetween(data: Uint8Array, start: number, end: number): string[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const addresses: string[] = [];
  for (let at = start; at + ADDRESS_BYTES <= end; at += ADDRESS_BYTES) {
    addresses.push(`0x${view.getBigUint64(at, LITTLE_ENDIAN).toString(16)}`);
  }
  return addresses;
}

/** The host's byte order, which is that of the addresses in a cell and of the words in a BigInt array. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
