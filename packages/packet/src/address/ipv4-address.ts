// SPDX-License-Identifier: Apache-2.0

/**
 * Reads four decimal numbers with dots between them. A leading zero is refused, because others read it as octal
 * (RFC 6943 3.1.1), and so are the short forms of inet_aton.
 *
 * @returns 4 bytes, undefined when the text is no IPv4 address
 */
export function readIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".", 5);
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

/** Writes the 4 bytes at `offset` as `192.0.2.1`. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}
