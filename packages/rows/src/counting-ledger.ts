// SPDX-License-Identifier: Apache-2.0

import type {
  DecoderCounts,
  KernelCounts,
  LedgerDifference,
  LedgerSnapshot,
  ReaderCounts,
  SinkCounts,
  StreamLedger,
} from "./ledger.ts";

const NOTHING_READ: ReaderCounts = { read: 0, discarded: 0, lost: 0 };

/** The {@link StreamLedger} of a stream. It keeps the decoder's counts itself and asks the other stages for theirs. */
export class CountingLedger implements StreamLedger {
  readonly #stream: string;
  readonly #workload: string;
  readonly #sinks: () => readonly SinkCounts[];
  #kernel: () => KernelCounts | undefined = () => undefined;
  /** Undefined for streams that are made, not read: their rows count as read when they are decoded. */
  #reader: (() => ReaderCounts) | undefined;
  #decoded = 0;
  #malformed = 0;

  /** @param sinks - reads what each sink's queue counted */
  constructor(stream: string, workload: string, sinks: () => readonly SinkCounts[]) {
    this.#stream = stream;
    this.#workload = workload;
    this.#sinks = sinks;
  }

  setKernel(read: () => KernelCounts | undefined): void {
    this.#kernel = read;
  }

  setReader(read: () => ReaderCounts): void {
    this.#reader = read;
  }

  countDecoded(decoded: number, malformed: number): void {
    this.#decoded += decoded;
    this.#malformed += malformed;
  }

  snapshot(): LedgerSnapshot {
    // Later stages are read first, so that an event on its way is at worst missing further down.
    const sinks = this.#sinks();
    const decoder = { decoded: this.#decoded, malformed: this.#malformed };
    const reader = this.#reader?.();
    const kernel = this.#kernel();
    return {
      stream: this.#stream,
      workload: this.#workload,
      kernel,
      reader: reader ?? NOTHING_READ,
      decoder,
      sinks,
      differences: findDifferences(kernel, reader, decoder, sinks),
    };
  }
}

function findDifferences(
  kernel: KernelCounts | undefined,
  reader: ReaderCounts | undefined,
  decoder: DecoderCounts,
  sinks: readonly SinkCounts[],
): LedgerDifference[] {
  const differences: LedgerDifference[] = [];
  const check = (law: string, left: number, right: number) => {
    if (left !== right) differences.push({ law, difference: left - right });
  };
  if (kernel !== undefined) {
    check("seen = filtered + failed + submitted", kernel.seen, kernel.filtered + kernel.failed + kernel.submitted);
    if (reader !== undefined) check("submitted = read + discarded", kernel.submitted, reader.read + reader.discarded);
  }
  if (reader !== undefined) check("read = decoded + malformed", reader.read, decoder.decoded + decoder.malformed);
  for (const { sink, offered, written, dropped, pending } of sinks) {
    check(`decoded = offered (${sink})`, decoder.decoded, offered);
    check(`offered = written + dropped + pending (${sink})`, offered, written + dropped + pending);
  }
  return differences;
}
