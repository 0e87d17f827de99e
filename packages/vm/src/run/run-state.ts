// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";

/** Bytes of `struct vm_run`. */
const SIZE = 128;

/**
 * The state of one worker's run, in the engine's memory, where helpers in C find it too: `struct vm_run` of `bpf/runtime.h`.
 */
export class RunState {
  /** Where the struct lies. */
  readonly address: number;
  readonly #words: Uint32Array;
  readonly #wide: BigUint64Array;

  constructor(memory: VmMemory, cpu: number) {
    this.address = memory.allocate(SIZE, 64);
    const index = memory.index(this.address);
    this.#words = new Uint32Array(memory.wasm.buffer, index, SIZE / 4);
    this.#wide = new BigUint64Array(memory.wasm.buffer, index, SIZE / 8);
    this.#words[0] = cpu;
    // Any odd number will do; each worker has its own.
    this.#wide[3] = 0x9e3779b97f4a7c15n * BigInt(2 * cpu + 1);
  }

  /** Index of the worker. */
  get cpu(): number {
    return this.#words[0] as number;
  }

  /** The lowest address that the packet may begin at. */
  get packetFirst(): number {
    return this.#words[1] as number;
  }

  set packetFirst(address: number) {
    this.#words[1] = address;
  }

  /** The end of the packet's room. */
  get packetEnd(): number {
    return this.#words[2] as number;
  }

  set packetEnd(address: number) {
    this.#words[2] = address;
  }

  /** Address of the context. */
  get context(): number {
    return this.#words[3] as number;
  }

  set context(address: number) {
    this.#words[3] = address;
  }

  /** `enum bpf_prog_type`. */
  get programType(): number {
    return this.#words[4] as number;
  }

  set programType(type: number) {
    this.#words[4] = type;
  }

  /** Tail calls of this run. */
  set tailCalls(count: number) {
    this.#words[5] = count;
  }

  /** What `bpf_redirect` and its kin asked for last; 0: nothing. */
  get redirectKind(): number {
    return this.#words[8] as number;
  }

  set redirectKind(kind: number) {
    this.#words[8] = kind;
  }

  /** Interface index or key. */
  get redirectTarget(): number {
    return this.#words[9] as number;
  }

  set redirectTarget(target: number) {
    this.#words[9] = target;
  }

  get redirectFlags(): bigint {
    return this.#wide[5] as bigint;
  }

  set redirectFlags(flags: bigint) {
    this.#wide[5] = flags;
  }

  /** Address of the map that `bpf_redirect_map` names; 0 for none. */
  get redirectMap(): number {
    return this.#words[12] as number;
  }

  set redirectMap(address: number) {
    this.#words[12] = address;
  }

  /** Address of the socket that a packet or message was redirected to; 0 for none. */
  get redirectSocket(): number {
    return this.#words[21] as number;
  }

  set redirectSocket(address: number) {
    this.#words[21] = address;
  }

  /**
   * Where the packet begins, as `data` of the context says; helpers go by this one, which programs cannot write. The bytes
   * from {@link RunState.packetMeta} to {@link RunState.packetDataEnd} are open to programs.
   */
  get packetData(): number {
    return this.#words[14] as number;
  }

  set packetData(address: number) {
    this.#words[14] = address;
  }

  /** Where the packet ends. */
  get packetDataEnd(): number {
    return this.#words[15] as number;
  }

  set packetDataEnd(address: number) {
    this.#words[15] = address;
  }

  /** Where the metadata before the packet begins; the packet's beginning when there is none. */
  get packetMeta(): number {
    return this.#words[16] as number;
  }

  set packetMeta(address: number) {
    this.#words[16] = address;
  }

  /** Where the Ethernet header of a socket buffer begins, or would. */
  get macHeader(): number {
    return this.#words[17] as number;
  }

  set macHeader(address: number) {
    this.#words[17] = address;
  }

  /** Where the network header of a socket buffer begins. */
  get networkHeader(): number {
    return this.#words[18] as number;
  }

  set networkHeader(address: number) {
    this.#words[18] = address;
  }

  /** Address of the socket that `bpf_sk_assign` chose; 0 for none. */
  get assignedSocket(): number {
    return this.#words[19] as number;
  }

  set assignedSocket(address: number) {
    this.#words[19] = address;
  }

  /** The lowest address that the packet began at in this run, so that what was written there is cleared after it. */
  get packetLowest(): number {
    return this.#words[20] as number;
  }

  set packetLowest(address: number) {
    this.#words[20] = address;
  }

  /** Address of the `struct bpf_spin_lock` that the run holds; 0 for none. */
  get lock(): number {
    return this.#words[13] as number;
  }

  set lock(address: number) {
    this.#words[13] = address;
  }

  /** Whether headers were put around those of a socket buffer (`bpf_skb_adjust_room` with an encapsulation): 0 or 1. */
  set encapsulated(flag: number) {
    this.#words[22] = flag;
  }
}
