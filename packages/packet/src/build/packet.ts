// SPDX-License-Identifier: Apache-2.0
import { type PacketPart, PartPlace } from "./packet-part.ts";

/**
 * Builds a packet of headers from the outermost to the innermost, and a payload: bytes, or text as UTF-8. Each header
 * says what follows it, how long it is and what its checksum is, unless its fields say otherwise.
 *
 * ```ts
 * packet(ethernet(), ipv4({ ttl: 3 }), tcp({ destinationPort: 80, flags: ["syn"] }));
 * ```
 *
 * @throws {PacketValueError} for a field that does not hold its value, also a length that the payload is too long for
 */
export function packet(...parts: readonly (PacketPart | Uint8Array | string)[]): Uint8Array {
  const all = parts.map(toPart);
  const bytes = new Uint8Array(all.reduce((size, part) => size + part.size, 0));
  let offset = bytes.length;
  // From the inside out: an outer checksum covers inner ones.
  for (let index = all.length - 1; index >= 0; index--) {
    const part = all[index];
    if (part === undefined) continue;
    offset -= part.size;
    part.write(new PartPlace(bytes, offset, all, index));
  }
  return bytes;
}

function toPart(part: PacketPart | Uint8Array | string): PacketPart {
  if (typeof part === "string") return payload(new TextEncoder().encode(part));
  return part instanceof Uint8Array ? payload(part) : part;
}

function payload(bytes: Uint8Array): PacketPart {
  return { kind: "payload", size: bytes.length, write: (place) => place.setBytes(0, bytes) };
}
