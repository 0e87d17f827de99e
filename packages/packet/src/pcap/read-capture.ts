// SPDX-License-Identifier: Apache-2.0
import { CaptureReader } from "./capture-reader.ts";
import type { CapturedPacket } from "./captured-packet.ts";

/**
 * The packets of a pcap or pcapng file that is there whole. Packets are views of `bytes`.
 *
 * @throws {MalformedCaptureError} at the first thing that is wrong, after the packets before it
 */
export function* parseCapture(bytes: Uint8Array): Generator<CapturedPacket, void, undefined> {
  const reader = new CaptureReader();
  reader.push(bytes);
  yield* reader.packets();
  reader.end();
}

/**
 * The packets of a pcap or pcapng file that comes in chunks, such as a file's or a socket's stream. Packets are views of
 * the chunks, which must not be written to afterwards. Leaving the loop ends the source.
 *
 * @throws {MalformedCaptureError} at the first thing that is wrong, after the packets before it
 */
export async function* readCapture(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<CapturedPacket, void, undefined> {
  const reader = new CaptureReader();
  for await (const chunk of chunks) {
    reader.push(chunk);
    yield* reader.packets();
  }
  reader.end();
}
