// SPDX-License-Identifier: Apache-2.0
import type { ByteQueue } from "./byte-queue.ts";
import type { CapturedPacket } from "./captured-packet.ts";

/** Reads one format of captures. */
export interface CaptureFormat {
  /**
   * Takes what comes next from the queue: a packet, `"skipped"` for anything else, or `"waiting"`, with nothing taken,
   * when the queue does not hold all of it yet.
   *
   * @throws {MalformedCaptureError} when it is not what the format asks for
   */
  next(queue: ByteQueue): CapturedPacket | "skipped" | "waiting";
}

/** A DataView of bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
