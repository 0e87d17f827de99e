// SPDX-License-Identifier: Apache-2.0

/** Places of `struct btf_header` (include/uapi/linux/btf.h): where the types end is where more of them go. */
const HEADER_LENGTH = 4;
const TYPES_OFFSET = 8;
const TYPES_LENGTH = 12;
const STRINGS_OFFSET = 16;
const LAYOUT_OFFSET = 24;
const HEADER_SIZE_WITH_LAYOUT = 32;

/**
 * BTF with further types behind its own, given as their 32-bit words. Ids and string offsets stay as they are, so that
 * .BTF.ext and everything else that refers to them keeps its meaning. `bytes` is sound BTF.
 */
export function spliceTypes(bytes: Uint8Array, words: readonly number[], littleEndian: boolean): Uint8Array {
  const before = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = before.getUint32(HEADER_LENGTH, littleEndian);
  const typesEnd = before.getUint32(TYPES_OFFSET, littleEndian) + before.getUint32(TYPES_LENGTH, littleEndian);
  const at = headerLength + typesEnd;
  const added = words.length * 4;
  const result = new Uint8Array(bytes.length + added);
  result.set(bytes.subarray(0, at));
  result.set(bytes.subarray(at), at + added);
  const after = new DataView(result.buffer);
  after.setUint32(TYPES_LENGTH, before.getUint32(TYPES_LENGTH, littleEndian) + added, littleEndian);
  for (const place of [STRINGS_OFFSET, LAYOUT_OFFSET]) {
    if (place === LAYOUT_OFFSET && headerLength < HEADER_SIZE_WITH_LAYOUT) continue;
    const offset = before.getUint32(place, littleEndian);
    if (offset >= typesEnd) after.setUint32(place, offset + added, littleEndian);
  }
  words.forEach((word, i) => {
    after.setUint32(at + i * 4, word, littleEndian);
  });
  return result;
}
