// SPDX-License-Identifier: Apache-2.0
import { PacketValueError } from "../errors.ts";
import { formatIpv4, readIpv4 } from "./ipv4-address.ts";
import { formatIpv6, readIpv6 } from "./ipv6-address.ts";

/** An IP address as text, or as the 4 or 16 bytes that stand in a packet. */
export type IpAddress = string | Uint8Array;

/** The bytes of an address written as text, 4 or 16; undefined when it is none. Never throws. */
export function tryParseIp(text: string): Uint8Array | undefined {
  return text.includes(":") ? readIpv6(text) : readIpv4(text);
}

/**
 * The bytes of an address written as text (RFC 4291 2.2, or four decimal numbers): 4 or 16.
 *
 * @throws {PacketValueError} when it is none
 */
export function parseIp(text: string): Uint8Array {
  const bytes = tryParseIp(text);
  if (bytes === undefined) throw new PacketValueError(`"${shorten(text)}" is no IP address`);
  return bytes;
}

/**
 * An address of 4 or 16 bytes as text, IPv6 in the form of RFC 5952.
 *
 * @throws {PacketValueError} for any other number of bytes
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return formatIpv4(bytes);
  if (bytes.length === 16) return formatIpv6(bytes);
  throw new PacketValueError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
}

/**
 * The bytes of an address in either form; bytes are handed through, not copied.
 *
 * @throws {PacketValueError} when it is none
 */
export function ipBytes(address: IpAddress): Uint8Array {
  if (typeof address === "string") return parseIp(address);
  if (address.length === 4 || address.length === 16) return address;
  throw new PacketValueError(`an IP address has 4 or 16 bytes, not ${address.length}`);
}

/**
 * Order of addresses: IPv4 before IPv6, then by their bytes. For `Array.sort`.
 *
 * @throws {PacketValueError} when one is no address
 */
export function compareIp(left: IpAddress, right: IpAddress): number {
  return compareBytes(ipBytes(left), ipBytes(right));
}

/** Order of addresses that are bytes already, as {@link compareIp}. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) return left.length - right.length;
  for (const [index, byte] of left.entries()) {
    const difference = byte - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Text from outside, cut to what a message can hold. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
