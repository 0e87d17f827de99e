// SPDX-License-Identifier: Apache-2.0

import type { DecodedBatch, Vector } from "@skep/ebpf";

const FNV_BASIS = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** One number of many hashes, for a comparison at a glance. */
export function foldHashes(hashes: readonly number[]): number {
  return hashes.reduce((folded, value) => Math.imul(folded ^ value, FNV_PRIME) >>> 0, FNV_BASIS);
}

/**
 * One hash (FNV-1a, 32 bits) for each column of scalars over the bytes of its values, and two for each column of
 * byte strings: over their lengths, 32 bits each, and over their bytes. `bench/c/pipeline-ring.c` does the same.
 */
export function hashColumns(batches: readonly DecodedBatch[]): number[] {
  const columns = batches[0]?.vectors.length ?? 0;
  return Array.from({ length: columns }, (_, column) => hashColumn(batches, column)).flat();
}

function hashColumn(batches: readonly DecodedBatch[], column: number): number[] {
  let hashes: number[] = [];
  for (const { vectors, length } of batches) {
    const vector = vectors[column];
    if (vector === undefined) throw new Error(`a batch lacks column ${column}`);
    hashes = partsOf(vector, length).map((part, index) => hash(part, hashes[index] ?? FNV_BASIS));
  }
  return hashes;
}

function partsOf(vector: Vector, length: number): Uint8Array[] {
  if (vector.kind === "scalar") {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = vector.values;
    return [new Uint8Array(buffer, byteOffset, length * BYTES_PER_ELEMENT)];
  }
  const { offsets, data } = vector;
  const lengths = new Uint32Array(length).map((_, row) => (offsets[row + 1] as number) - (offsets[row] as number));
  return [new Uint8Array(lengths.buffer), data.subarray(offsets[0], offsets[length])];
}

function hash(bytes: Uint8Array, from: number): number {
  let value = from;
  for (const byte of bytes) value = Math.imul(value ^ byte, FNV_PRIME);
  return value >>> 0;
}
