// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  type Codec,
  type Collection,
  codecFor,
  copyRecord,
  type Engine,
  InvalidValueError,
  type LoadedVariable,
  NotSupportedError,
  type RecordReader,
} from "@skep/ebpf";
import { TestProgram } from "./test-program.ts";

/** What a {@link TestApp} is made of. */
export interface TestAppParts {
  readonly engine: Engine;
  readonly collection: Collection;
  /** Lines that programs printed; undefined when the engine does not tell them. */
  readonly printed: readonly string[] | undefined;
  /** Owns the collection, and the engine when it was made for this. */
  readonly resources: DisposableStack;
}

/** An object under test: its programs to run, its maps and variables to look at. Closed by `using`. */
export class TestApp implements Disposable {
  readonly engine: Engine;
  /** What it was loaded as; a generated module makes typed programs and maps of it: `new Drop(app.collection)`. */
  readonly collection: Collection;
  readonly #printed: readonly string[] | undefined;
  readonly #resources: DisposableStack;
  readonly #readers = new Map<string, RecordReader>();

  constructor({ engine, collection, printed, resources }: TestAppParts) {
    this.engine = engine;
    this.collection = collection;
    this.#printed = printed;
    this.#resources = resources;
  }

  /** A program by name. Throws NotFoundError. */
  program(name: string): TestProgram {
    return new TestProgram(this.collection.program(name), this.collection.maps);
  }

  /** A map by name. `K` and `V` are what the caller knows of its BTF. Throws NotFoundError. */
  map<K = unknown, V = unknown>(name: string): BpfMap<K, V> {
    return this.collection.map<K, V>(name);
  }

  /** A global variable by name. Throws NotFoundError. */
  variable<T = unknown>(name: string): LoadedVariable<T> {
    return this.collection.variable<T>(name);
  }

  /**
   * What programs wrote into a ring buffer or a perf event array since the last call, decoded by the map's value type; bytes
   * when it has none. Perf event arrays lose what comes before the first call.
   */
  records<T = unknown>(name: string): T[] {
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      reader = this.#resources.use(this.map(name).records());
      this.#readers.set(name, reader);
    }
    const codec = this.#recordCodec(name);
    const records: unknown[] = [];
    for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
      for (let i = 0; i < batch.count; i++) {
        const bytes = copyRecord(batch, i);
        if (codec !== undefined && bytes.length < codec.size) {
          throw new InvalidValueError(`map "${name}": a record is ${bytes.length} bytes, its type has ${codec.size}`);
        }
        records.push(codec === undefined ? bytes : codec.decode(bytes, 0));
      }
    }
    // What a codec makes is what the caller says that the type is.
    return records as T[];
  }

  /** What programs printed so far (`bpf_printk`), a string a call. Throws NotSupportedError when the engine was given. */
  get printed(): readonly string[] {
    if (this.#printed !== undefined) return this.#printed;
    throw new NotSupportedError("telling what programs print on an engine that was given");
  }

  /** Gives up what was loaded, and the engine unless it was given. */
  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #recordCodec(name: string): Codec<unknown> | undefined {
    const { btf } = this.collection.spec;
    const { valueTypeId } = this.map(name).spec;
    return btf === undefined || valueTypeId === 0 ? undefined : codecFor(btf, valueTypeId);
  }
}
