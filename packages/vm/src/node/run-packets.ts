// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type LoadedProgram, letsThrough, NotSupportedError, verdictName } from "@skep/ebpf";
import { type CapturedPacket, LinkType } from "@skep/packet";
import { contextLayout } from "../context/layout-for.ts";
import { PacketBatch } from "../run/packet-batch.ts";
import { LONGEST_PACKET } from "../run/run-room.ts";
import type { VmProgram } from "../vm-program.ts";
import { inBatches } from "./in-batches.ts";
import { isRunError, type OpenCounters, ProgramStream, type StreamOptions, vmProgramOf } from "./program-stream.ts";

/** How packets are run. */
export interface PacketStreamOptions extends StreamOptions {
  /** Packets that are run in one call at most; 256 unless given. What is there goes at once, however few it is. */
  readonly batchSize?: number;
}

/** What became of a packet. What writes captures takes it as it is. */
export interface PacketResult {
  /** What the program returned, as an unsigned number. */
  readonly returned: number;
  /** What it said, by name: `XDP_DROP`; a number in decimal where that has no name. */
  readonly verdict: string;
  /** Whether the packet goes on: passed, sent back or redirected. */
  readonly passed: boolean;
  /** The packet as the program left it, without the Ethernet header for types that begin behind it. */
  readonly bytes: Uint8Array;
  /** The packet as it came. */
  readonly input: Uint8Array;
  /** When it was captured: whole seconds since 1970; 0 for bare bytes. */
  readonly seconds: number;
  /** The rest of that time. */
  readonly nanoseconds: number;
  /** What `bytes` begins with. */
  readonly linkType: number;
}

const BATCH_SIZE = 256;
const ETHERNET = 14;

/**
 * Runs a program on each packet of a source: Ethernet frames as bytes, or what `readCapture` of @skep/packet and
 * `readCaptureFile` give. Packets are run in batches, in one call of WebAssembly each.
 *
 * A packet that the type cannot take (shorter than an Ethernet header, longer than 65,550 bytes, of another link type)
 * is an InvalidValueError, which `faults` decides about. Throws NotSupportedError for programs of types without packets,
 * InvalidValueError for those of other engines.
 */
export function runPackets(
  program: LoadedProgram | VmProgram,
  packets: AsyncIterable<Uint8Array | CapturedPacket> | Iterable<Uint8Array | CapturedPacket>,
  options: PacketStreamOptions = {},
): ProgramStream<PacketResult> {
  const runner = new PacketRunner(vmProgramOf(program), options.faults === "count");
  const { batchSize = BATCH_SIZE, signal } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new InvalidValueError(`batchSize is ${batchSize}, wanted is 1 or more`);
  }
  return new ProgramStream((counters) => runner.run(inBatches(packets, batchSize, signal), counters));
}

class PacketRunner {
  readonly #program: VmProgram;
  readonly #goesOn: boolean;
  readonly #linkType: number;

  constructor(program: VmProgram, goesOn: boolean) {
    const { type, expectedAttachType, section } = program.spec;
    const { packet } = contextLayout(type, expectedAttachType);
    if (packet === undefined || packet.begins === "bytes") {
      throw new NotSupportedError(`running programs of section ${section} on packets`);
    }
    this.#program = program;
    this.#goesOn = goesOn;
    this.#linkType = packet.begins === "network" ? LinkType.RAW : LinkType.ETHERNET;
  }

  async *run(
    batches: AsyncIterable<(Uint8Array | CapturedPacket)[]>,
    counters: OpenCounters,
  ): AsyncGenerator<readonly PacketResult[], void, undefined> {
    for await (const batch of batches) {
      let rest: readonly (Uint8Array | CapturedPacket)[] = batch;
      while (rest.length > 0) {
        const { results, taken, error } = this.#runSome(rest);
        counters.fed += taken;
        rest = rest.slice(taken);
        if (error !== undefined) counters.failed++;
        if (results.length > 0) yield results;
        if (error !== undefined && !(this.#goesOn && isRunError(error))) throw error;
      }
    }
  }

  /** Runs packets up to the first that fails, and says how many it took, that one included. */
  #runSome(packets: readonly (Uint8Array | CapturedPacket)[]): {
    readonly results: readonly PacketResult[];
    readonly taken: number;
    readonly error?: unknown;
  } {
    const bad = packets.findIndex((packet) => problemOf(packet) !== undefined);
    const good = bad === -1 ? packets : packets.slice(0, bad);
    using batch = good.length === 0 ? undefined : new PacketBatch(this.#program.memory, good.map(bytesOf));
    if (batch !== undefined) {
      try {
        this.#program.batch(batch);
      } catch (error) {
        return { results: this.#results(batch, good.slice(0, batch.done)), taken: batch.done + 1, error };
      }
    }
    const results = batch === undefined ? [] : this.#results(batch, good);
    const refused = packets[bad];
    if (refused === undefined) return { results, taken: good.length };
    return { results, taken: good.length + 1, error: new InvalidValueError(problemOf(refused) ?? "") };
  }

  #results(batch: PacketBatch, packets: readonly (Uint8Array | CapturedPacket)[]): PacketResult[] {
    const { type } = this.#program.spec;
    return packets.map((packet, i) => {
      const returned = batch.returned[i] as number;
      const bare = packet instanceof Uint8Array;
      return {
        returned,
        verdict: verdictName(type, returned),
        passed: letsThrough(type, returned),
        bytes: batch.packet(i).slice(),
        input: bytesOf(packet),
        seconds: bare ? 0 : packet.seconds,
        nanoseconds: bare ? 0 : packet.nanoseconds,
        linkType: this.#linkType,
      };
    });
  }
}

function bytesOf(packet: Uint8Array | CapturedPacket): Uint8Array {
  return packet instanceof Uint8Array ? packet : packet.bytes;
}

function problemOf(packet: Uint8Array | CapturedPacket): string | undefined {
  if (!(packet instanceof Uint8Array) && packet.linkType !== LinkType.ETHERNET) {
    return `a packet has link type ${packet.linkType}, programs take Ethernet frames (${LinkType.ETHERNET})`;
  }
  const { length } = bytesOf(packet);
  if (length >= ETHERNET && length <= LONGEST_PACKET) return undefined;
  return `a packet has ${length} bytes, wanted is ${ETHERNET} to ${LONGEST_PACKET}`;
}
