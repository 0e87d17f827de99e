// SPDX-License-Identifier: Apache-2.0

import { type BatchCursor, InvalidValueError } from "@skep/ebpf";
import { addressOf, BpfCommand, bpfError, type FileDescriptor, MapBatchCalls, type MapElementCalls } from "@skep/linux";

const BPF_F_LOCK = 4;
const ENOENT = 2;
const EINVAL = 22;
const ENOSPC = 28;
const ENOTSUPP = 524;

/**
 * Batch operations of one map, by the kernel's batch commands where it and the map's type have them and by
 * single operations where not. Which it is shows at the first call.
 */
export class MapBatches {
  readonly #calls: MapBatchCalls;
  readonly #elements: MapElementCalls;
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #object: string;
  /** Undefined until the first lookup has told. */
  #lookupBatch: boolean | undefined;

  constructor(fd: FileDescriptor, elements: MapElementCalls, keySize: number, valueSize: number, object: string) {
    this.#calls = new MapBatchCalls(fd);
    this.#elements = elements;
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    this.#object = object;
  }

  /** See BpfMap.lookupBatchRaw. Throws InvalidValueError when the arrays do not hold one bucket of a hash map. */
  lookup(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    const capacity = this.#capacity(keys, values);
    const count = this.tryLookup(cursor, keys, values, capacity);
    if (count === "too small") throw this.#bucketTooLarge(capacity);
    return count;
  }

  /**
   * See BpfMap.lookupAndDeleteBatchRaw. There is no way around the batch command: a lookup and a delete would lose
   * what a program writes between the two.
   */
  lookupAndDelete(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array): number {
    const capacity = this.#capacity(keys, values);
    if (cursor.done) return 0;
    const start = cursor.position === undefined;
    cursor.position ??= new Uint8Array(new ArrayBuffer(Math.max(8, this.#keySize)));
    const position = addressOf(cursor.position);
    const from = start ? 0 : position;
    const result = this.#calls.lookupAndDelete(from, position, addressOf(keys), addressOf(values), capacity);
    if (result === 0) return this.#calls.count;
    if (result === -ENOENT) {
      cursor.done = true;
      return this.#calls.count;
    }
    if (start) cursor.position = undefined;
    if (result === -ENOSPC) throw this.#bucketTooLarge(capacity);
    throw bpfError(BpfCommand.MAP_LOOKUP_AND_DELETE_BATCH, -result, this.#object);
  }

  /** As `lookup`, with the number of entries that fit given. */
  tryLookup(cursor: BatchCursor, keys: Uint8Array, values: Uint8Array, capacity: number): number | "too small" {
    if (cursor.done) return 0;
    const start = cursor.position === undefined;
    // Hash maps keep 4 bytes of position here, others the last key.
    cursor.position ??= new Uint8Array(new ArrayBuffer(Math.max(8, this.#keySize)));
    if (this.#lookupBatch === false) return this.#lookupSingly(cursor, start, keys, values, capacity);
    const position = addressOf(cursor.position);
    const result = this.#calls.lookup(start ? 0 : position, position, addressOf(keys), addressOf(values), capacity);
    if (this.#lookupBatch === undefined) {
      this.#lookupBatch = result !== -ENOTSUPP && result !== -EINVAL;
      if (!this.#lookupBatch) return this.#lookupSingly(cursor, start, keys, values, capacity);
    }
    if (result === 0) return this.#calls.count;
    if (result === -ENOENT) {
      cursor.done = true;
      return this.#calls.count;
    }
    if (start) cursor.position = undefined;
    if (result === -ENOSPC) return "too small";
    throw bpfError(BpfCommand.MAP_LOOKUP_BATCH, -result, this.#object);
  }

  /**
   * See BpfMap.updateBatchRaw. An error after some entries is told by the next call, which begins with the entry
   * that failed.
   */
  update(keys: Uint8Array, values: Uint8Array, count: number, flags: number): number {
    this.#checkRoom("keys", keys, count * this.#keySize);
    this.#checkRoom("values", values, count * this.#valueSize);
    if (count === 0) return 0;
    const [keyAddress, valueAddress] = [addressOf(keys), addressOf(values)];
    // The kernel's batch update takes neither BPF_NOEXIST nor BPF_EXIST.
    if ((flags & ~BPF_F_LOCK) === 0) {
      const result = this.#calls.update(keyAddress, valueAddress, count, flags);
      if (result === 0) return count;
      if (result !== -ENOTSUPP && result !== -EINVAL) return this.#partly(BpfCommand.MAP_UPDATE_BATCH, result, count);
    }
    for (let i = 0; i < count; i++) {
      const result = this.#elements.update(keyAddress + i * this.#keySize, valueAddress + i * this.#valueSize, flags);
      if (result === 0) continue;
      if (i > 0) return i;
      throw bpfError(BpfCommand.MAP_UPDATE_ELEM, -result, this.#object);
    }
    return count;
  }

  /** See BpfMap.deleteBatchRaw. Stops at the first key that is absent, as the kernel does. */
  delete(keys: Uint8Array, count: number): number {
    this.#checkRoom("keys", keys, count * this.#keySize);
    if (count === 0) return 0;
    const address = addressOf(keys);
    const result = this.#calls.delete(address, count);
    if (result === 0) return count;
    if (result === -ENOENT) return this.#calls.count;
    if (result !== -ENOTSUPP && result !== -EINVAL) return this.#partly(BpfCommand.MAP_DELETE_BATCH, result, count);
    for (let i = 0; i < count; i++) {
      const single = this.#elements.delete(address + i * this.#keySize);
      if (single === -ENOENT) return i;
      if (single < 0 && i > 0) return i;
      if (single < 0) throw bpfError(BpfCommand.MAP_DELETE_ELEM, -single, this.#object);
    }
    return count;
  }

  #lookupSingly(cursor: BatchCursor, start: boolean, keys: Uint8Array, values: Uint8Array, capacity: number): number {
    const position = cursor.position ?? keys;
    const positionAddress = addressOf(position);
    const [keyAddress, valueAddress] = [addressOf(keys), addressOf(values)];
    let from = start ? 0 : positionAddress;
    let count = 0;
    while (count < capacity) {
      const key = keyAddress + count * this.#keySize;
      const found = this.#elements.nextKey(from, key);
      if (found === -ENOENT) {
        cursor.done = true;
        return count;
      }
      if (found < 0) throw bpfError(BpfCommand.MAP_GET_NEXT_KEY, -found, this.#object);
      const result = this.#elements.lookup(key, valueAddress + count * this.#valueSize);
      if (result < 0 && result !== -ENOENT) throw bpfError(BpfCommand.MAP_LOOKUP_ELEM, -result, this.#object);
      position.set(keys.subarray(count * this.#keySize, (count + 1) * this.#keySize));
      from = positionAddress;
      if (result === 0) count++;
    }
    return count;
  }

  /** Entries done before an error; throws it when there were none. */
  #partly(command: BpfCommand, result: number, requested: number): number {
    // The kernel leaves the count as it was when it refuses the call as a whole.
    const count = this.#calls.count;
    if (count > 0 && count < requested) return count;
    throw bpfError(command, -result, this.#object);
  }

  #capacity(keys: Uint8Array, values: Uint8Array): number {
    const capacity = Math.min(Math.floor(keys.length / this.#keySize), Math.floor(values.length / this.#valueSize));
    if (capacity > 0) return capacity;
    throw new InvalidValueError(
      `${this.#object}: an entry takes ${this.#keySize} and ${this.#valueSize} bytes, ${keys.length} and ${values.length} were given`,
    );
  }

  #bucketTooLarge(capacity: number): InvalidValueError {
    return new InvalidValueError(
      `${this.#object}: room for ${capacity} entries, but one bucket holds more; the kernel reads whole buckets`,
    );
  }

  #checkRoom(what: string, bytes: Uint8Array, wanted: number): void {
    if (bytes.length >= wanted) return;
    throw new InvalidValueError(`${this.#object}: ${what} are ${bytes.length} bytes, the entries take ${wanted}`);
  }
}
