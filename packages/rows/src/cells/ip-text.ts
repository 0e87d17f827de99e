// SPDX-License-Identifier: Apache-2.0

/**
 * Writes an address as text: dotted decimal for 4 bytes, RFC 5952 for 16 (lower case, the longest run of two or
 * more zero groups as `::`, IPv4-mapped addresses with a dotted tail).
 *
 * @param data - bytes in network order, from `start` to `end`; undefined is returned unless these are 4 or 16
 */
export function formatIp(data: Uint8Array, start = 0, end: number = data.length): string | undefined {
  if (end - start === 4) return dotted(data, start);
  if (end - start !== 16) return undefined;
  const groups: number[] = [];
  for (let at = start; at < end; at += 2) groups.push((byte(data, at) << 8) | byte(data, at + 1));

  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return `::ffff:${dotted(data, start + 12)}`;

  const run = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (run.length < 2) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

/** Reads an IPv4 or IPv6 address; undefined when the text is neither. Zones, prefixes and ports are not accepted. */
export function parseIp(text: string): Uint8Array | undefined {
  if (!text.includes(":")) return parseDotted(text);
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function byte(data: Uint8Array, at: number): number {
  return data[at] ?? 0;
}

function dotted(data: Uint8Array, at: number): string {
  return `${byte(data, at)}.${byte(data, at + 1)}.${byte(data, at + 2)}.${byte(data, at + 3)}`;
}

/** The first of the longest runs, as RFC 5952 section 4.2.3 asks. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

function parseDotted(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return Uint8Array.from(parts.map(Number));
}

/** Bytes of colon-separated groups; the last may be dotted decimal when `last` says that the address ends there. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes(".")) {
      const tail = parseDotted(group);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length > 16 ? undefined : bytes;
}
