// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError } from "@skep/ebpf";
import type { ContextLayout, PacketFields } from "../context/context-layout.ts";
import type { VmMemory } from "../memory/vm-memory.ts";
import { HEADROOM, LONGEST_PACKET, type RunRoom } from "./run-room.ts";

/** Bytes behind each packet that it may grow into: BATCH_TAILROOM of bpf/packet.h. */
export const BATCH_TAILROOM = 192;
/** Bytes of an Ethernet header. */
const ETHERNET = 14;
/** The loopback device, which the packets come from. */
const LOOPBACK = 1;
/** `ingress_ifindex` of `struct xdp_md`, `ifindex` of `struct __sk_buff`. */
const XDP_INGRESS = 12;
const SKB_IFINDEX = 40;

/**
 * Packets laid out once in an engine's memory, each with room before (256 bytes) and after it (192), for a program to be run on
 * all of them in one call. What a program changes in them stays changed, so that a second run begins with what the first left.
 */
export class PacketBatch implements Disposable {
  readonly #memory: VmMemory;
  readonly #block: number;
  /** Where the packets were laid out: pairs of address and length. */
  readonly #placed: Uint32Array;
  readonly #pairs: Uint32Array;
  readonly #results: Uint32Array;
  readonly #shortest: number;
  /** Packets. */
  readonly count: number;
  /** Address of as many pairs of 32 bits: address and length of a packet; of what was left of it, after a run. */
  readonly list: number;
  /** Address of as many numbers of 32 bits: what the program returned. */
  readonly results: number;
  #access: PacketFields["access"] = "none";
  #stripped = 0;
  #done = 0;
  #closed = false;

  /** Throws InvalidValueError for a packet that is too long, NotSupportedError when they do not fit into the memory. */
  constructor(memory: VmMemory, packets: Iterable<Uint8Array>) {
    const all = [...packets];
    const longest = all.reduce((most, { length }) => Math.max(most, length), 0);
    if (longest > LONGEST_PACKET) {
      throw new InvalidValueError(
        `packet ${all.findIndex(({ length }) => length === longest)} of a batch has ${longest} bytes; the most is ${LONGEST_PACKET}`,
      );
    }
    const { length: count } = all;
    const strides = all.map(({ length }) => Math.ceil((HEADROOM + length + BATCH_TAILROOM) / 64) * 64);
    this.#memory = memory;
    this.count = count;
    this.#shortest = all.reduce((least, { length }) => Math.min(least, length), LONGEST_PACKET);
    const tables = Math.ceil((count * 12) / 64) * 64;
    this.#block = memory.allocate(tables + strides.reduce((sum, stride) => sum + stride, 0), 64);
    this.list = this.#block;
    this.results = this.#block + count * 8;
    this.#pairs = new Uint32Array(memory.wasm.buffer, memory.index(this.list), count * 2);
    this.#results = new Uint32Array(memory.wasm.buffer, memory.index(this.results), count);
    this.#placed = new Uint32Array(count * 2);
    let address = this.#block + tables;
    for (const [i, packet] of all.entries()) {
      this.#placed[2 * i] = address + HEADROOM;
      this.#placed[2 * i + 1] = packet.length;
      memory.bytes.set(packet, memory.index(address + HEADROOM));
      address += strides[i] as number;
    }
    this.#pairs.set(this.#placed);
  }

  /** What the program returned for each packet; valid until the next run, or the end of the batch. */
  get returned(): Uint32Array {
    return this.#results;
  }

  /** Packets that the last run got through: all of them, unless a fault ended it at the next one. */
  get done(): number {
    return this.#done;
  }

  /**
   * A packet, as the last run left it: from its beginning as the program saw it, so without the Ethernet header for types that
   * begin behind it. A view, valid until the next run.
   */
  packet(index: number): Uint8Array {
    const address = this.#pairs[2 * index];
    const length = this.#pairs[2 * index + 1];
    if (address === undefined || length === undefined) {
      throw new InvalidValueError(`packet ${index} of a batch of ${this.count}`);
    }
    return this.#memory.slice(address, length);
  }

  /**
   * Makes everything ready for a run of a program with this context in this room: the context, the list, and the packets open
   * as that type may touch them. Throws InvalidValueError when a packet is too short for the type, ClosedError.
   */
  prepare(room: RunRoom, layout: ContextLayout): void {
    if (this.#closed) throw new ClosedError("a batch of packets");
    const { packet } = layout;
    if (packet === undefined) throw new InvalidValueError(`${layout.name} has no packet`);
    if (packet.begins !== "bytes" && this.#shortest < ETHERNET) {
      throw new InvalidValueError(
        `a packet of a batch has ${this.#shortest} bytes; for ${layout.name} ${ETHERNET} or more`,
      );
    }
    room.leavePacket();
    room.enterContext(layout, layout.size);
    const { view } = this.#memory;
    const at = this.#memory.index(room.context);
    if (layout.name === "struct xdp_md") view.setUint32(at + XDP_INGRESS, LOOPBACK, true);
    else if (layout.name === "struct __sk_buff") view.setUint32(at + SKB_IFINDEX, LOOPBACK, true);
    const stripped = packet.begins === "network" ? ETHERNET : 0;
    if (this.#memory.regions !== undefined) this.#open(packet.access, stripped);
    this.#stripped = stripped;
    this.#pairs.set(this.#placed);
    if (stripped > 0) this.#strip(stripped);
    this.#done = this.count;
  }

  /** For the engine, when a fault ended the run of a program with this context in this room: finds out how far it came. */
  interrupted(room: RunRoom, layout: ContextLayout): void {
    const { packet } = layout;
    if (packet === undefined) return;
    const data = this.#memory.view.getUint32(this.#memory.index(room.context) + packet.data, true);
    // The context has the packet at hand, whose start the program may have moved, but not out of its room.
    let done = 0;
    while (done + 1 < this.count && data >= (this.#placed[2 * (done + 1)] as number) - HEADROOM) done++;
    this.#done = done;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#memory.free(this.#block);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #strip(bytes: number): void {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) {
      pairs[i] = (pairs[i] as number) + bytes;
      pairs[i + 1] = (pairs[i + 1] as number) - bytes;
    }
  }

  /** Opens what is not open as it was laid out: everything for another kind of program, else what the last run moved. */
  #open(access: PacketFields["access"], stripped: number): void {
    const all = access !== this.#access || stripped !== this.#stripped;
    const placed = this.#placed;
    const pairs = this.#pairs;
    for (let i = 0; i < placed.length; i += 2) {
      const address = placed[i] as number;
      const end = address + (placed[i + 1] as number);
      const left = pairs[i] as number;
      const leftEnd = left + (pairs[i + 1] as number);
      if (!all && left === address + stripped && leftEnd === end) continue;
      const first = (Math.min(left, address) & ~7) >>> 0;
      this.#memory.setRegion(first, Math.max(leftEnd, end) - first, "none");
      const start = ((address + stripped) & ~7) >>> 0;
      this.#memory.setRegion(start, end - start, access);
    }
    this.#access = access;
  }
}
