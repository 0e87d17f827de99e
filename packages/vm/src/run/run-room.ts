// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { ContextLayout, PacketFields } from "../context/context-layout.ts";
import { closeContext, openContext } from "../context/context-regions.ts";
import type { VmMemory } from "../memory/vm-memory.ts";
import type { CloneRecord } from "./redirect-record.ts";
import { type MessageState, NO_MESSAGE, NO_TUNNEL, type TunnelState } from "./run-extras.ts";
import type { RunState } from "./run-state.ts";

/** Bytes before a packet: what XDP has; a socket buffer that needs more is moved. */
export const HEADROOM = 256;
/** `struct xdp_frame`, which the kernel keeps at the beginning of a frame's room. */
const XDP_FRAME = 40;
/** Bytes of an Ethernet header. */
const ETHERNET = 14;
/** The longest packet: MTU of the loopback device and an Ethernet header. */
export const LONGEST_PACKET = 65_550;
/** Bytes of a packet's room. A packet of the greatest length fits behind the headroom wherever that begins in 64 bytes. */
const PACKET_ROOM = HEADROOM + LONGEST_PACKET + 64 - ((HEADROOM + LONGEST_PACKET) % 64);
/** Bytes for a context: of SYSCALL programs up to 65,535. */
const CONTEXT_ROOM = 65_536;
/** Where what a context points at lies in its room: behind every context that has fields. */
const BESIDE = 1024;
const EMPTY = new Uint8Array(0);

/**
 * Where a worker's programs run: the room for the packet and the room for the context, and what of both is open to programs.
 * One a worker; runs in it come one after another. Opening costs nothing when the run before was of the same shape.
 */
export class RunRoom {
  readonly memory: VmMemory;
  readonly state: RunState;
  /** Address of the context. */
  readonly context: number;
  /** Packets that were cloned in this run. */
  clones: CloneRecord[] = [];
  /** What carries the packet, or is to. */
  tunnel: TunnelState = NO_TUNNEL;
  /** What a program of messages asked for. */
  message: MessageState = NO_MESSAGE;
  readonly #packet: number;
  #layout: ContextLayout | undefined;
  #contextSize = 0;
  #besideSize = 0;
  #access: PacketFields["access"] = "none";

  constructor(memory: VmMemory, state: RunState) {
    this.memory = memory;
    this.state = state;
    this.#packet = memory.allocate(PACKET_ROOM, 64);
    this.context = memory.allocate(CONTEXT_ROOM, 64);
  }

  /**
   * Opens the context of a run, zeroed, and makes it the state's. `size` is what there is of it; as much as the layout says
   * unless it is one of bytes.
   */
  enterContext(layout: ContextLayout, size: number): void {
    const { state, memory } = this;
    if (layout !== this.#layout || size !== this.#contextSize) {
      closeContext(memory, this.context, this.#contextSize);
      closeContext(memory, this.context + BESIDE, this.#besideSize);
      this.#besideSize = 0;
      openContext(memory, layout, this.context, size);
      this.#layout = layout;
      this.#contextSize = size;
    }
    const index = memory.index(this.context);
    memory.bytes.fill(0, index, index + size);
    state.context = this.context;
    state.programType = layout.programType;
    state.tailCalls = 0;
    state.redirectKind = 0;
    state.assignedSocket = 0;
    state.encapsulated = 0;
    if (this.clones.length > 0) this.clones = [];
    this.tunnel = NO_TUNNEL;
    this.message = NO_MESSAGE;
  }

  /**
   * Opens zeroed bytes that the context points at, for reading and writing, until a run with another layout comes. Returns
   * their address; contexts with fields only.
   */
  openBeside(size: number): number {
    const address = this.context + BESIDE;
    const index = this.memory.index(address);
    this.memory.bytes.fill(0, index, index + size);
    if (this.#besideSize !== size) this.memory.setRegion(address, size, "write");
    this.#besideSize = size;
    return address;
  }

  /**
   * Copies a packet into the room and opens it. The first `meta` bytes are metadata; the program's packet begins `stripped`
   * bytes behind them. Throws InvalidValueError when it is too long.
   */
  placePacket(fields: PacketFields, data: Uint8Array, meta: number, stripped: number): void {
    if (data.length > LONGEST_PACKET) {
      throw new InvalidValueError(`a packet has ${data.length} bytes; the most is ${LONGEST_PACKET}`);
    }
    const { state, memory } = this;
    const room = this.#packet;
    const start = room + HEADROOM - meta;
    const end = start + data.length;
    if (state.packetLowest < start && state.packetLowest >= room) {
      memory.bytes.fill(0, memory.index(state.packetLowest), memory.index(start));
    }
    memory.bytes.set(data, memory.index(start));
    this.#open(start + stripped, end, fields.access);
    state.packetFirst = room + XDP_FRAME;
    state.packetEnd = Math.max(end, room + HEADROOM + fields.growth);
    state.packetData = start + meta + stripped;
    state.packetLowest = start;
    state.macHeader = start + meta;
    state.networkHeader = start + meta + (fields.begins === "bytes" ? 0 : ETHERNET);
  }

  /** Closes the packet of the run before: this one has none. */
  leavePacket(): void {
    this.#open(0, 0, "none");
    this.state.packetData = 0;
    this.state.packetFirst = 0;
    this.state.packetEnd = 0;
  }

  /** Moves the bounds of what is open: a helper made the packet longer or shorter. */
  moveBounds(first: number, end: number): void {
    this.#open(first, end, this.#access);
    this.state.packetData = first;
  }

  /** The packet from an address on, as the program left it. A copy. */
  packetFrom(address: number): Uint8Array {
    const end = this.state.packetDataEnd;
    return address >= end ? EMPTY : this.memory.slice(address, end - address).slice();
  }

  #open(first: number, end: number, access: PacketFields["access"]): void {
    const { state, memory } = this;
    const { packetMeta, packetDataEnd } = state;
    const before = (packetMeta & ~7) >>> 0;
    const start = (first & ~7) >>> 0;
    if (start !== before || end !== packetDataEnd || access !== this.#access) {
      // The packets of a batch lie elsewhere, and are the batch's to close.
      const own = packetMeta >= this.#packet && packetMeta < this.#packet + PACKET_ROOM;
      if (own) memory.setRegion(before, packetDataEnd - before, "none");
      memory.setRegion(start, end - start, access);
      this.#access = access;
    }
    state.packetMeta = first;
    state.packetDataEnd = end;
  }
}
