// SPDX-License-Identifier: Apache-2.0

import {
  ClosedError,
  InvalidValueError,
  type MapSpec,
  type ReaderCounters,
  type RecordBatch,
  RecordLease,
  type RecordReader,
  type RecordReaderOptions,
} from "@skep/ebpf";
import {
  addressOf,
  BpfCommand,
  bpfError,
  Epoll,
  enablePerfEvent,
  type FileDescriptor,
  MapElementCalls,
  onlineCpus,
  Poller,
  pageSize,
} from "@skep/linux";
import { OverwritablePerfBuffer } from "./overwritable-perf-buffer.ts";
import { type BatchFill, PerfBuffer, type SampleSource, type WakeUpAfter } from "./perf-buffer.ts";
import { iterateRecords, maxRecordsOf } from "./record-iteration.ts";

const defaultPages = 64;
/** Bytes that a batch holds; a sample is at most 64 KiB. */
const stagingSize = 1 << 18;

/**
 * Reads a perf event array: a buffer for each CPU that is online when the reader is opened. Records of one CPU
 * come in order, those of different CPUs in any.
 *
 * Batches are copies. A record's length is the kernel's: what the program wrote and up to 7 bytes of padding.
 * The kernel reports losses of a CPU in front of the next record that it could write there.
 */
export class PerfReader implements RecordReader {
  readonly counters: ReaderCounters;
  readonly #counters = { read: 0, discarded: 0, lost: 0 };
  readonly #object: string;
  readonly #options: RecordReaderOptions;
  readonly #resources: DisposableStack;
  readonly #poller: Poller;
  readonly #buffers: readonly SampleSource[];
  readonly #fill: BatchFill;
  #first = 0;

  /** Duplicates the map's descriptor. `released` is called when the reader is closed. */
  constructor(map: FileDescriptor, spec: MapSpec, options: RecordReaderOptions, released: () => void) {
    this.counters = this.#counters;
    this.#object = `reader of map "${spec.name}"`;
    this.#options = options;
    const maxRecords = maxRecordsOf(options, this.#object);
    const size = perCpuBytesOf(options, this.#object);
    const object = `map "${spec.name}"`;
    using building = new DisposableStack();
    const fd = building.use(map.duplicate());
    const elements = new MapElementCalls(fd);
    const epoll = building.use(new Epoll());
    const buffers: SampleSource[] = [];
    const wakeUpAfter = wakeUpAfterOf(options, size, this.#object);
    for (const cpu of onlineCpus()) {
      if (cpu >= spec.maxEntries) continue;
      const buffer: SampleSource = building.use(
        options.overwritable === true
          ? new OverwritablePerfBuffer(cpu, size, object)
          : new PerfBuffer(cpu, size, object, wakeUpAfter),
      );
      enablePerfEvent(buffer.event);
      epoll.add(buffer.event.number);
      building.defer(setEntry(elements, cpu, buffer.event, object));
      buffers.push(buffer);
    }
    this.#buffers = buffers;
    // A perf event reports a wake-up once, so the poller stays registered: see UvPollSource.
    this.#poller = building.use(new Poller(epoll.number, { edge: true }));
    const words = new Uint32Array(stagingSize / 4);
    const lease = new RecordLease(new Uint8Array(words.buffer), maxRecords);
    this.#fill = { lease, words, maxRecords, count: 0, lost: 0, used: 0 };
    building.defer(() => lease.end());
    building.defer(released);
    this.#resources = building.move();
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#resources.disposed;
  }

  /** What lies unread. A batch may hold no record and only report losses. */
  poll(): RecordBatch | undefined {
    if (this.closed) throw new ClosedError(this.#object);
    const fill = this.#fill;
    fill.count = 0;
    fill.lost = 0;
    fill.used = 0;
    // Each time another CPU comes first, so that a busy one cannot shut the others out.
    const first = this.#first;
    for (let i = 0; i < this.#buffers.length; i++) {
      this.#buffers[(first + i) % this.#buffers.length]?.readInto(fill);
    }
    this.#first = (first + 1) % Math.max(1, this.#buffers.length);
    const { lease } = fill;
    lease.count = fill.count;
    lease.lost = fill.lost;
    this.#counters.read += fill.count;
    this.#counters.lost += fill.lost;
    return fill.count > 0 || fill.lost > 0 ? lease : undefined;
  }

  /** Ends when the reader is closed or the signal aborts. Throws ClosedError when it is closed already. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.closed) throw new ClosedError(this.#object);
    if (this.#options.overwritable === true) {
      throw new InvalidValueError(`${this.#object}: an overwritable buffer is read by snapshots, with poll()`);
    }
    return iterateRecords(this, this.#poller, this.#options.signal);
  }

  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Puts an event into the map; the result takes it out again, since the map would keep it open. */
function setEntry(elements: MapElementCalls, cpu: number, event: FileDescriptor, object: string): () => void {
  const entry = new Uint32Array([cpu, event.number]);
  const key = addressOf(entry);
  const result = elements.update(key, key + 4, 0);
  if (result < 0) throw bpfError(BpfCommand.MAP_UPDATE_ELEM, -result, `${object}, CPU ${cpu}`);
  return () => {
    const removed = elements.delete(addressOf(entry));
    if (removed < 0) throw bpfError(BpfCommand.MAP_DELETE_ELEM, -removed, `${object}, CPU ${cpu}`);
  };
}

function perCpuBytesOf(options: RecordReaderOptions, object: string): number {
  const page = pageSize();
  const size = options.perCpuBytes ?? defaultPages * page;
  const pages = size / page;
  if (Number.isInteger(pages) && pages >= 1 && (pages & (pages - 1)) === 0) return size;
  throw new InvalidValueError(`${object}: perCpuBytes is ${size}, a power of two times ${page} is wanted`);
}

function wakeUpAfterOf({ wakeUpAfter, overwritable }: RecordReaderOptions, size: number, object: string): WakeUpAfter {
  if (wakeUpAfter === undefined) return { records: 1 };
  if (overwritable === true) throw new InvalidValueError(`${object}: an overwritable buffer wakes nobody up`);
  const [what, number] = "bytes" in wakeUpAfter ? ["bytes", wakeUpAfter.bytes] : ["records", wakeUpAfter.records];
  const most = what === "bytes" ? size - 1 : 0xffff_ffff;
  if (Number.isInteger(number) && number >= 1 && number <= most) return wakeUpAfter;
  throw new InvalidValueError(
    `${object}: wakeUpAfter is ${number} ${what}, a whole number from 1 to ${most} is wanted`,
  );
}
