// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  type Collection,
  type CollectionSpec,
  copyRecord,
  type Engine,
  InvalidValueError,
  type LoadOptions,
  load,
  NotSupportedError,
  parseObject,
  type RecordReader,
  type RunOptions,
  type RunResult,
} from "@skep/ebpf";
import { SuiteFailure, thrownBy } from "./assert.ts";

/** Where a case finds the engine and the objects. */
export interface CaseSources {
  readonly engine: Engine;
  /** The bytes of an object of `suiteObjects`. */
  object(name: string): Uint8Array;
}

/** An Ethernet frame with an IPv4 packet of UDP, 10.1.2.3:4660 to 10.1.2.4:53, that holds 22 bytes: 64 altogether. */
export function udpFrame(): Uint8Array {
  const frame = new Uint8Array(64);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00]);
  frame.set([0x45, 0, 0, 50, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 10, 1, 2, 3, 10, 1, 2, 4], 14);
  frame.set([0x12, 0x34, 0, 53, 0, 30, 0, 0], 34);
  for (let i = 42; i < 64; i++) frame[i] = i;
  return frame;
}

/** What a case works with. Closing it closes what was loaded through it, and the engine. */
export class CaseContext implements Disposable {
  readonly engine: Engine;
  readonly #object: (name: string) => Uint8Array;
  readonly #opened = new DisposableStack();

  constructor({ engine, object }: CaseSources) {
    this.#opened.use(engine);
    this.engine = engine;
    this.#object = object;
  }

  /** What an object declares, anew with each call. */
  spec(name: string): CollectionSpec {
    return parseObject(this.#object(name));
  }

  /** Loads an object until the case ends. */
  load(name: string, options: Omit<LoadOptions, "engine"> = {}): Collection {
    return this.#opened.use(load(this.spec(name), { ...options, engine: this.engine }));
  }

  /** Makes one map of the object `suite-maps`, as it is declared there, or with changes. */
  map<K = unknown, V = unknown>(name: string, changes: { readonly maxEntries?: number } = {}): BpfMap<K, V> {
    const { btf, maps } = this.spec("suite-maps");
    const declared = maps.get(name);
    if (declared === undefined) throw new SuiteFailure(`suite-maps declares no map "${name}"`);
    using types = btf && this.engine.loadTypes(btf);
    // The caller knows what the object declares.
    return this.#opened.use(this.engine.createMap({ ...declared, ...changes }, types, btf)) as BpfMap<K, V>;
  }

  /** Keeps something open until the case ends. */
  use<T extends Disposable>(resource: T): T {
    return this.#opened.use(resource);
  }

  /** Runs a program, on `udpFrame` unless something else is given, and returns what came out. */
  run(collection: Collection, program: string, options: RunOptions = { data: udpFrame() }): RunResult {
    return collection.program(program).run(options);
  }

  /**
   * Has programs make what is then read. When a recording is played that has happened already, while it was recorded: nothing
   * is done.
   */
  produce(run: () => void): void {
    if (!this.engine.capabilities.recording) run();
  }

  /** Everything that lies unread, as copies. */
  drain(reader: RecordReader): Uint8Array[] {
    const records: Uint8Array[] = [];
    for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) {
      for (let i = 0; i < batch.count; i++) records.push(copyRecord(batch, i));
    }
    return records;
  }

  /**
   * Fails unless a call is refused with this errno. Engines that have no error numbers throw InvalidValueError; those that have
   * them give it as `errnoName`, but for input of a run, where `(EINVAL)` may stand at the end of an InvalidValueError.
   */
  refuses(errno: string, call: () => unknown): void {
    const error = thrownBy(call, `what fails with ${errno}`);
    if (error instanceof NotSupportedError) throw error;
    if (error instanceof Error && "errnoName" in error) {
      if (error.errnoName === errno) return;
    } else if (error instanceof InvalidValueError) {
      if (this.engine.capabilities.recording || error.message.endsWith(`(${errno})`)) return;
    }
    throw new SuiteFailure(`it failed with "${error}", wanted is ${errno}`, { cause: error });
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}
