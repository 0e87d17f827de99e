// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "./bpf-map.ts";
import type { Codec } from "./codec.ts";
import { InvalidValueError } from "./errors.ts";
import type { RecordReaderOptions } from "./record-batch.ts";

/**
 * The records of a ring buffer or a perf event array one by one, each decoded to a value that is the caller's to keep.
 * For tens of thousands a second; beyond, decode the batches of `map.records()` into columns with RecordDecoder.
 *
 * The reader is opened by the first step and closed when the loop is left, by `break`, an error, or `signal`.
 * Throws InvalidValueError for a record shorter than the type; longer ones (perf events are padded to 8 bytes) are
 * decoded from their beginning.
 */
export async function* recordValues<T>(
  map: BpfMap,
  codec: Codec<T>,
  options: RecordReaderOptions = {},
): AsyncGenerator<T, void, undefined> {
  using reader = map.records(options);
  for await (const batch of reader) {
    for (let i = 0; i < batch.count; i++) {
      // The batch says that both are there.
      const length = batch.lengths[i] as number;
      if (length < codec.size) {
        throw new InvalidValueError(
          `map "${map.spec.name}": a record is ${length} bytes, the type that it is read as has ${codec.size}`,
        );
      }
      yield codec.decode(batch.bytes, batch.offsets[i] as number);
    }
  }
}
