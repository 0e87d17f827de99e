// SPDX-License-Identifier: Apache-2.0
import { PacketValueError } from "../errors.ts";
import { shorten } from "./ip-address.ts";

/** An Ethernet address as text (`02:00:00:00:00:01`), or its 6 bytes. */
export type MacAddress = string | Uint8Array;

const TEXT = /^[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})$/i;

/**
 * Reads six pairs of hexadecimal digits with colons, or hyphens, between them (IEEE 802).
 *
 * @throws {PacketValueError} for any other text
 */
export function parseMac(text: string): Uint8Array {
  if (!TEXT.test(text)) {
    throw new PacketValueError(`"${shorten(text)}" is no MAC address, which looks like 02:00:00:00:00:01`);
  }
  return Uint8Array.from(text.split(/[:-]/), (pair) => Number.parseInt(pair, 16));
}

/** Writes the 6 bytes at `offset` as `02:00:00:00:00:01`. */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  return Array.from(bytes.subarray(offset, offset + 6), (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/**
 * The bytes of a MAC address in either form; bytes are handed through, not copied.
 *
 * @throws {PacketValueError} when it is none
 */
export function macBytes(address: MacAddress): Uint8Array {
  if (typeof address === "string") return parseMac(address);
  if (address.length === 6) return address;
  throw new PacketValueError(`a MAC address has 6 bytes, not ${address.length}`);
}
