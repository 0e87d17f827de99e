// SPDX-License-Identifier: Apache-2.0

/**
 * The engine in Node: sources that run a program on each packet, context, tick or message and give the results as an
 * AsyncIterable; captures to read and to write.
 *
 * ```ts
 * const results = runPackets(app.program("filter"), readCaptureFile("in.pcap"));
 * await writeCaptureFile("passed.pcap", passedOf(results));
 * console.log(results.counters);
 * ```
 *
 * @module vm/node
 */
export { type CaptureFileOptions, passedOf, readCaptureFile, writeCaptureFile } from "./capture-file.ts";
export { type OpenCounters, ProgramStream, type StreamCounters, type StreamOptions } from "./program-stream.ts";
export { readObject } from "./read-object.ts";
export { runEach } from "./run-each.ts";
export { runEvery, type TimerStreamOptions } from "./run-every.ts";
export { type ChannelStreamOptions, runOnChannel } from "./run-on-channel.ts";
export { type PacketResult, type PacketStreamOptions, runPackets } from "./run-packets.ts";
