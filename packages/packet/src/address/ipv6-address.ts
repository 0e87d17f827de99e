// SPDX-License-Identifier: Apache-2.0
import { formatIpv4, readIpv4 } from "./ipv4-address.ts";

const GROUP = /^[0-9a-f]{1,4}$/i;

/**
 * Reads any form of RFC 4291 2.2: groups of up to four hexadecimal digits, `::` for one or more groups of zero, the
 * last 32 bits in IPv4's form. A zone (`%eth0`) is no part of an address and refused.
 *
 * @returns 16 bytes, undefined when the text is no IPv6 address
 */
export function readIpv6(text: string): Uint8Array | undefined {
  // The longest form, with an IPv4 tail, has 45 characters.
  if (text.length > 45) return undefined;
  const halves = text.split("::", 3);
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? readGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 8 - head.length - tail.length;
  if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined;
  const bytes = new Uint8Array(16);
  for (const [index, group] of [...head, ...new Array<number>(zeros).fill(0), ...tail].entries()) {
    bytes[index * 2] = group >>> 8;
    bytes[index * 2 + 1] = group & 0xff;
  }
  return bytes;
}

/** 16-bit groups of the part before or after `::`; only the part that ends the address may end in IPv4's form. */
function readGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":", 9);
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = last && index === parts.length - 1 ? readIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = ipv4;
    groups.push((a << 8) | b, (c << 8) | d);
  }
  return groups;
}

/**
 * Writes the 16 bytes at `offset` in the one form of RFC 5952: lower case, no leading zeros, the longest run of two or
 * more zero groups (the first of equals) as `::`; an IPv4-mapped address ends in IPv4's form.
 */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  const groups: number[] = [];
  for (let at = offset; at < offset + 16; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes, offset + 12)}`;
  }
  const run = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (run.length < 2) return text.join(":");
  return `${text.slice(0, run.start).join(":")}::${text.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
