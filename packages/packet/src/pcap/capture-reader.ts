// SPDX-License-Identifier: Apache-2.0
import { MalformedCaptureError } from "../errors.ts";
import { ByteQueue } from "./byte-queue.ts";
import { type CaptureFormat, viewOf } from "./capture-format.ts";
import type { CapturedPacket } from "./captured-packet.ts";
import { isPcapMagic, PcapFormat } from "./pcap-format.ts";
import { PcapngBlock } from "./pcapng-block.ts";
import { PcapngFormat } from "./pcapng-format.ts";

/**
 * Reads a capture as it comes, in chunks of any size: classic pcap or pcapng, told by the first 4 bytes. Holds no more
 * than what is pushed and not yet read.
 *
 * ```ts
 * reader.push(chunk);
 * for (const packet of reader.packets()) use(packet);
 * reader.end();
 * ```
 */
export class CaptureReader {
  readonly #queue = new ByteQueue();
  #format: CaptureFormat | undefined;

  /** Adds what comes next of the file. It is not copied, and packets are views of it: it must not be written to. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /**
   * The packets that are there whole. Can be left and called again, and goes on behind the last packet taken.
   *
   * @throws {MalformedCaptureError} at the first thing that is not as the format asks for; the packets before it come first
   */
  *packets(): Generator<CapturedPacket, void, undefined> {
    this.#format ??= formatOf(this.#queue);
    if (this.#format === undefined) return;
    for (;;) {
      const next = this.#format.next(this.#queue);
      if (next === "waiting") return;
      if (next !== "skipped") yield next;
    }
  }

  /**
   * To be called when no more chunks come and all packets are read.
   *
   * @throws {MalformedCaptureError} when the file ends within a record, or nothing of it came
   */
  end(): void {
    const { length, offset } = this.#queue;
    if (length > 0)
      throw new MalformedCaptureError(offset, `the file ends within a record, of which ${length} bytes are there`);
    if (offset === 0) throw new MalformedCaptureError(0, "the file is empty");
  }
}

/** What the first 4 bytes say, undefined while they are not there. */
function formatOf(queue: ByteQueue): CaptureFormat | undefined {
  const bytes = queue.peek(4);
  if (bytes === undefined) return undefined;
  const magic = viewOf(bytes).getUint32(0);
  if (magic === PcapngBlock.SECTION_HEADER) return new PcapngFormat();
  if (isPcapMagic(magic) || isPcapMagic(viewOf(bytes).getUint32(0, true))) return new PcapFormat();
  const hex = magic.toString(16).padStart(8, "0");
  throw new MalformedCaptureError(0, `begins with 0x${hex}, which is neither pcap nor pcapng`);
}
