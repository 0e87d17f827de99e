// SPDX-License-Identifier: Apache-2.0

import type { MapSpec } from "../map-spec.ts";
import type { RecordBatch } from "../record-batch.ts";
import { FrameType, padded, RECORDING_MAGIC, type RecordingHeader } from "./format.ts";

/** Takes the next bytes of a recording; they are the callee's to keep. What it throws ends the call that led to it. */
export type WriteChunk = (chunk: Uint8Array) => void;

/** Writes a recording frame by frame: each call hands exactly one complete frame on. */
export class RecordingWriter {
  readonly #write: WriteChunk;
  #maps = 0;

  /** Writes the header. */
  constructor(header: RecordingHeader, write: WriteChunk) {
    this.#write = write;
    const text = new TextEncoder();
    const json = text.encode(JSON.stringify({ ...header, clockOffset: header.clockOffset.toString() }));
    const bytes = new Uint8Array(16 + padded(json.length));
    bytes.set(text.encode(RECORDING_MAGIC));
    new DataView(bytes.buffer).setUint32(8, json.length, true);
    bytes.set(json, 16);
    write(bytes);
  }

  /** Declares a map and returns the index by which frames name it. */
  declareMap(spec: Pick<MapSpec, "name" | "type" | "keySize" | "valueSize">): number {
    const name = new TextEncoder().encode(spec.name);
    const index = this.#maps++;
    const { view, bytes } = frame(FrameType.MAP, index, 16 + name.length);
    view.setUint32(8, spec.type, true);
    view.setUint32(12, spec.keySize, true);
    view.setUint32(16, spec.valueSize, true);
    view.setUint32(20, name.length, true);
    bytes.set(name, 24);
    this.#write(bytes);
    return index;
  }

  /** Writes a batch that a reader delivered at `clock`; `discarded` since the batch before. */
  writeRecords(map: number, clock: bigint, batch: RecordBatch, discarded: number): void {
    let length = 24;
    for (let i = 0; i < batch.count; i++) length += 8 + padded(batch.lengths[i] as number);
    const { view, bytes } = frame(FrameType.RECORDS, map, length);
    view.setBigUint64(8, clock, true);
    view.setUint32(16, batch.count, true);
    view.setUint32(20, batch.lost, true);
    view.setUint32(24, discarded, true);
    let at = 32;
    for (let i = 0; i < batch.count; i++) {
      const start = batch.offsets[i] as number;
      const size = batch.lengths[i] as number;
      view.setUint32(at, size, true);
      bytes.set(batch.bytes.subarray(start, start + size), at + 8);
      at += 8 + padded(size);
    }
    this.#write(bytes);
  }

  /** Writes an entry of a map as it was at `clock`. */
  writeSnapshot(map: number, clock: bigint, key: Uint8Array, value: Uint8Array): void {
    const { view, bytes } = frame(FrameType.SNAPSHOT, map, 16 + padded(key.length) + value.length);
    view.setBigUint64(8, clock, true);
    view.setUint32(16, key.length, true);
    view.setUint32(20, value.length, true);
    bytes.set(key, 24);
    bytes.set(value, 24 + padded(key.length));
    this.#write(bytes);
  }

  /** Writes the last frame. */
  end(clock: bigint): void {
    const { view, bytes } = frame(FrameType.END, 0, 8);
    view.setBigUint64(8, clock, true);
    this.#write(bytes);
  }
}

/** A frame with its first 8 bytes written. */
function frame(type: number, map: number, length: number): { view: DataView; bytes: Uint8Array } {
  const bytes = new Uint8Array(8 + padded(length));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint16(2, map, true);
  view.setUint32(4, padded(length), true);
  return { view, bytes };
}
