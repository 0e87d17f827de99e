// SPDX-License-Identifier: Apache-2.0

import { createReadStream, createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type CapturedPacket,
  type PacketToCapture,
  PcapngWriter,
  type PcapOptions,
  PcapWriter,
  readCapture,
} from "@skep/packet";

/**
 * The packets of a pcap or pcapng file, or of a stream of one, such as standard input. Read as they are asked for; leaving the loop
 * closes the file. Throws MalformedCaptureError at the first thing that is wrong, and what reading throws.
 */
export function readCaptureFile(
  file: string | URL | AsyncIterable<Uint8Array>,
): AsyncGenerator<CapturedPacket, void, undefined> {
  return readCapture(typeof file === "string" || file instanceof URL ? createReadStream(file) : file);
}

/** How a capture is written. */
export interface CaptureFileOptions extends PcapOptions {
  /** `pcap` unless given, which holds packets of one link type alone: that of the first one, unless `linkType` says. */
  readonly format?: "pcap" | "pcapng";
}

/**
 * Writes packets to a pcap or pcapng file, or to a stream, as fast as it takes them, and returns how many there were. Results of
 * `runPackets` are packets: {@link passedOf} leaves those that were dropped out.
 */
export async function writeCaptureFile(
  file: string | URL | Writable,
  packets: AsyncIterable<PacketToCapture> | Iterable<PacketToCapture>,
  { format = "pcap", ...options }: CaptureFileOptions = {},
): Promise<number> {
  let count = 0;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    let writer: PcapWriter | PcapngWriter | undefined;
    for await (const packet of packets) {
      if (writer === undefined) {
        const { linkType = packet.linkType } = options;
        writer = format === "pcap" ? new PcapWriter({ ...options, linkType }) : new PcapngWriter();
        yield writer.header();
      }
      yield writer.packet(packet);
      count++;
    }
    // Without packets it is a capture all the same.
    if (writer === undefined) yield (format === "pcap" ? new PcapWriter(options) : new PcapngWriter()).header();
  }
  const target = typeof file === "string" || file instanceof URL ? createWriteStream(file) : file;
  await pipeline(Readable.from(pieces(), { objectMode: true }), target);
  return count;
}

/** Of results, the packets that go on: passed, sent back or redirected. */
export async function* passedOf<R extends { readonly passed: boolean }>(
  results: AsyncIterable<R>,
): AsyncGenerator<R, void, undefined> {
  for await (const result of results) if (result.passed) yield result;
}
