// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "../errors.ts";
import { FrameType, padded, type RecordingHeader } from "./format.ts";
import { readHeader } from "./read-header.ts";

/** A batch of a recording; its records lie in {@link Recording.bytes}. */
export interface RecordedBatch {
  /** Clock at delivery. */
  readonly clock: bigint;
  readonly count: number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly lost: number;
  readonly discarded: number;
}

/** An entry of a map at one moment. */
export interface RecordedSnapshot {
  readonly clock: bigint;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A map of a recording with what was recorded of it, in order. */
export interface RecordedMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly batches: readonly RecordedBatch[];
  readonly snapshots: readonly RecordedSnapshot[];
}

/** A recording, checked throughout. */
export interface Recording {
  readonly header: RecordingHeader;
  /** The file; begins at a multiple of 8 of its buffer. */
  readonly bytes: Uint8Array;
  readonly maps: readonly RecordedMap[];
  /** False when the recording was cut: its last complete frame is no end frame. */
  readonly complete: boolean;
}

interface OpenMap extends RecordedMap {
  readonly batches: RecordedBatch[];
  readonly snapshots: RecordedSnapshot[];
}

/**
 * Reads a recording. One that was cut after its header, as when its maker was killed, gives the frames that are
 * complete. Throws MalformedError naming the frame for everything else that is not as the format says. The bytes
 * are kept, not copied, when they begin at a multiple of 8.
 */
export function readRecording(file: Uint8Array): Recording {
  if (file.length > 0xffff_ffff) {
    throw new MalformedError("recording", undefined, `${file.length} bytes are more than the 4 GiB that can be read`);
  }
  const bytes = file.byteOffset % 8 === 0 ? file : new Uint8Array(file);
  const { header, end } = readHeader(bytes);
  const frames = new FrameReader(bytes, end);
  while (frames.next());
  return { header, bytes, maps: frames.maps, complete: frames.ended };
}

class FrameReader {
  readonly maps: OpenMap[] = [];
  ended = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  #frames = 0;
  #clock = 0n;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Reads a frame; false when there is no further complete one. */
  next(): boolean {
    const at = this.#at;
    if (at + 8 > this.#bytes.length) return false;
    if (this.ended) throw this.#malformed(at, "follows the end frame");
    const length = this.#view.getUint32(at + 4, true);
    if (length % 8 !== 0) throw this.#malformed(at + 4, `is ${length} bytes long, not a multiple of 8`);
    if (at + 8 + length > this.#bytes.length) return false;
    const map = this.#view.getUint16(at + 2, true);
    const type = this.#view.getUint8(at);
    switch (type) {
      case FrameType.MAP:
        this.#readMap(map, at + 8, length);
        break;
      case FrameType.RECORDS:
        this.#readRecords(this.#map(map), at + 8, length);
        break;
      case FrameType.SNAPSHOT:
        this.#readSnapshot(this.#map(map), at + 8, length);
        break;
      case FrameType.END:
        this.#readClock(at + 8, length, 8);
        this.ended = true;
        break;
      default:
        throw this.#malformed(at, `type ${type} is unknown`);
    }
    this.#at = at + 8 + length;
    this.#frames++;
    return true;
  }

  #readMap(index: number, at: number, length: number): void {
    this.#need(at, length, 16);
    if (index !== this.maps.length) {
      throw this.#malformed(at - 6, `declares map ${index}, the next one is ${this.maps.length}`);
    }
    const nameLength = this.#view.getUint32(at + 12, true);
    if (16 + padded(nameLength) !== length) {
      throw this.#malformed(at + 12, `a name of ${nameLength} bytes does not fill a frame of ${length}`);
    }
    const name = new TextDecoder().decode(this.#bytes.subarray(at + 16, at + 16 + nameLength));
    if (this.maps.some((map) => map.name === name)) throw this.#malformed(at + 16, `declares map "${name}" again`);
    this.maps.push({
      name,
      type: this.#view.getUint32(at, true),
      keySize: this.#view.getUint32(at + 4, true),
      valueSize: this.#view.getUint32(at + 8, true),
      batches: [],
      snapshots: [],
    });
  }

  #readRecords(map: OpenMap, at: number, length: number): void {
    const clock = this.#readClock(at, length, 24);
    const count = this.#view.getUint32(at + 8, true);
    const end = at + length;
    // Each takes 8 bytes at least: checked before memory is taken for them.
    if (count > (length - 24) / 8) throw this.#malformed(at + 8, `${count} records are not in ${length} bytes`);
    const offsets = new Uint32Array(count);
    const lengths = new Uint32Array(count);
    let next = at + 24;
    for (let i = 0; i < count; i++) {
      if (next + 8 > end) throw this.#malformed(next, `record ${i} of ${count} begins past the frame's end`);
      const size = this.#view.getUint32(next, true);
      if (next + 8 + padded(size) > end) {
        throw this.#malformed(next, `record ${i} is ${size} bytes, the frame ends ${end - next - 8} bytes on`);
      }
      offsets[i] = next + 8;
      lengths[i] = size;
      next += 8 + padded(size);
    }
    if (next !== end) throw this.#malformed(next, `${end - next} bytes follow the last record`);
    const lost = this.#view.getUint32(at + 12, true);
    const discarded = this.#view.getUint32(at + 16, true);
    map.batches.push({ clock, count, offsets, lengths, lost, discarded });
  }

  #readSnapshot(map: OpenMap, at: number, length: number): void {
    const clock = this.#readClock(at, length, 16);
    const keyLength = this.#view.getUint32(at + 8, true);
    const valueLength = this.#view.getUint32(at + 12, true);
    if (16 + padded(keyLength) + padded(valueLength) !== length) {
      throw this.#malformed(at + 8, `a key of ${keyLength} and a value of ${valueLength} bytes do not fill ${length}`);
    }
    if (keyLength !== map.keySize) {
      throw this.#malformed(at + 8, `a key of ${keyLength} bytes in map "${map.name}" with keys of ${map.keySize}`);
    }
    const value = at + 16 + padded(keyLength);
    map.snapshots.push({
      clock,
      key: this.#bytes.subarray(at + 16, at + 16 + keyLength),
      value: this.#bytes.subarray(value, value + valueLength),
    });
  }

  #readClock(at: number, length: number, needed: number): bigint {
    this.#need(at, length, needed);
    const clock = this.#view.getBigUint64(at, true);
    if (clock < this.#clock) throw this.#malformed(at, `clock ${clock} lies before ${this.#clock}, the frame before`);
    if (clock >= 1n << 63n) throw this.#malformed(at, `clock ${clock} is past 2^63`);
    this.#clock = clock;
    return clock;
  }

  #need(at: number, length: number, needed: number): void {
    if (length < needed) throw this.#malformed(at - 4, `is ${length} bytes long, at least ${needed} are needed`);
  }

  #map(index: number): OpenMap {
    const map = this.maps[index];
    if (map === undefined)
      throw this.#malformed(this.#at + 2, `is about map ${index}, ${this.maps.length} are declared`);
    return map;
  }

  #malformed(offset: number, message: string): MalformedError {
    return new MalformedError(`recording, frame ${this.#frames}`, offset, message);
  }
}
