// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  type Btf,
  type Codec,
  type Collection,
  codecFor,
  copyRecord,
  isPerCpu,
  isRecordMap,
  MapType,
  mapTypeName,
  perCpuCodec,
  type RecordReader,
  rawCodec,
  sumCpus,
} from "@skep/ebpf";
import { formatMapValue } from "./value-text.ts";

/** What a map held after the runs. */
export interface MapContents {
  readonly name: string;
  readonly type: string;
  /** By key; of arrays those that are not all zeros. */
  readonly entries?: readonly { readonly key: unknown; readonly value: unknown }[];
  /** What queues and stacks give, and what records the programs sent, in their order. */
  readonly values?: readonly unknown[];
}

/** Whose keys and values are data; others hold programs, maps and sockets. */
const keyed: ReadonlySet<MapType> = new Set([
  MapType.HASH,
  MapType.ARRAY,
  MapType.PERCPU_HASH,
  MapType.PERCPU_ARRAY,
  MapType.LRU_HASH,
  MapType.LRU_PERCPU_HASH,
  MapType.LPM_TRIE,
]);
const arrays: ReadonlySet<MapType> = new Set([MapType.ARRAY, MapType.PERCPU_ARRAY]);
const queues: ReadonlySet<MapType> = new Set([MapType.QUEUE, MapType.STACK]);

/**
 * Looks at the maps of an object from before its programs run, when readers of records must be there, until after. Constants are
 * left out, and maps of programs, maps and sockets. What CPUs have of a key is added up, and keys are in order: the same from
 * every engine.
 */
export class MapObserver implements Disposable {
  readonly #collection: Collection;
  readonly #readers = new Map<string, RecordReader>();
  readonly #resources = new DisposableStack();

  constructor(collection: Collection) {
    this.#collection = collection;
    for (const [name, map] of collection.maps) {
      if (isRecordMap(map.spec.type)) this.#readers.set(name, this.#resources.use(map.records()));
    }
  }

  /** What there is now; records since the last call. */
  contents(): MapContents[] {
    const { btf } = this.#collection.spec;
    const all: MapContents[] = [];
    for (const [name, map] of this.#collection.maps) {
      const { type, data } = map.spec;
      const title = { name, type: mapTypeName(type) };
      const reader = this.#readers.get(name);
      if (reader !== undefined) all.push({ ...title, values: recordsOf(reader, map, btf) });
      else if (queues.has(type)) all.push({ ...title, values: valuesOf(map) });
      else if (keyed.has(type) && data?.readOnly !== true) all.push({ ...title, entries: entriesOf(map, btf) });
    }
    return all;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

function recordsOf(reader: RecordReader, map: BpfMap, btf: Btf | undefined): unknown[] {
  const { valueTypeId } = map.spec;
  const codec = btf === undefined || valueTypeId === 0 ? undefined : codecFor(btf, valueTypeId);
  const records: unknown[] = [];
  for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
    for (let i = 0; i < batch.count; i++) {
      const bytes = copyRecord(batch, i);
      records.push(codec === undefined || bytes.length < codec.size ? bytes : codec.decode(bytes, 0));
    }
  }
  return records;
}

function valuesOf(map: BpfMap): unknown[] {
  const values: unknown[] = [];
  for (let value = map.pop(); value !== undefined; value = map.pop()) values.push(value);
  return values;
}

function entriesOf(map: BpfMap, btf: Btf | undefined): { key: unknown; value: unknown }[] {
  const { type, keySize, valueSize, keyTypeId, valueTypeId } = map.spec;
  const keys = keyTypeId === 0 && arrays.has(type) ? index : codecOf(btf, keyTypeId, keySize);
  const single = codecOf(btf, valueTypeId, valueSize);
  const cpus = map.rawValueSize / (Math.ceil(valueSize / 8) * 8);
  const values = isPerCpu(type) ? summing(single, cpus) : single;
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(map.rawValueSize);
  const entries: { key: unknown; value: unknown }[] = [];
  for (let more = map.nextKeyRaw(undefined, key); more; more = map.nextKeyRaw(key, key)) {
    if (!map.lookupRaw(key, value) || (arrays.has(type) && value.every((byte) => byte === 0))) continue;
    // Codecs for bytes give views.
    entries.push({ key: keys.decode(key.slice(), 0), value: values.decode(value.slice(), 0) });
  }
  return entries.sort((a, b) => compare(a.key, b.key));
}

/** What arrays have for keys, also where no BTF says so. */
const index: Pick<Codec<unknown>, "decode"> = {
  decode: (bytes, offset) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true),
};

function codecOf(btf: Btf | undefined, typeId: number, size: number): Codec<unknown> {
  return btf === undefined || typeId === 0 ? rawCodec(size) : codecFor(btf, typeId);
}

function summing(codec: Codec<unknown>, cpus: number): Pick<Codec<unknown>, "decode"> {
  const all = perCpuCodec(codec, cpus);
  return { decode: (bytes, offset) => sumCpus(all.decode(bytes, offset)) };
}

function compare(a: unknown, b: unknown): number {
  const numbers = (typeof a === "number" || typeof a === "bigint") && (typeof b === "number" || typeof b === "bigint");
  const [left, right] = numbers ? [a, b] : [formatMapValue(a), formatMapValue(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
