// SPDX-License-Identifier: Apache-2.0

/** How many characters `String.fromCharCode` takes at a time: far below any engine's limit of arguments. */
const CHUNK = 8192;

/** The bytes of base64 (RFC 4648, section 4), for the objects in generated modules. Throws on other characters. */
export function objectFromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The other direction. */
export function objectToBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}
