// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf, bpfResult } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { BPF_F_TOKEN_FD } from "./bpf-token-call.ts";
import { FileDescriptor } from "./file-descriptor.ts";

/** The fields of BPF_MAP_CREATE. */
export interface MapCreateOptions {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  /** At most 15 of `[A-Za-z0-9_.]`; Linux 4.15. */
  readonly name?: string;
  /** `map_extra`; Linux 5.16. */
  readonly extra?: bigint;
  /** Descriptor of the BTF that the two type ids belong to. */
  readonly btfFd?: number;
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
  /** Descriptor of a map like those that this map will hold, for maps of maps (4.12). */
  readonly innerMapFd?: number;
  /** For struct_ops (5.6): the type of the value in the kernel's own BTF. */
  readonly kernelValueTypeId?: number;
  /** Descriptor of the module's BTF that `kernelValueTypeId` belongs to, with BPF_F_VTYPE_BTF_OBJ_FD (6.9). */
  readonly kernelValueBtfFd?: number;
  /** Descriptor of a BPF token that lends the right to do it (6.9). */
  readonly tokenFd?: number;
}

/** BPF_MAP_CREATE: makes a map. The descriptor is closed on exec. */
export function createMap(options: MapCreateOptions, object?: string): FileDescriptor {
  const attr = new AttrBuffer(80)
    .u32(0, options.type)
    .u32(4, options.keySize)
    .u32(8, options.valueSize)
    .u32(12, options.maxEntries)
    .u32(16, (options.flags ?? 0) | (options.tokenFd === undefined ? 0 : BPF_F_TOKEN_FD))
    .u32(20, options.innerMapFd ?? 0)
    .text(28, 16, options.name ?? "")
    .u32(48, options.btfFd ?? 0)
    .u32(52, options.keyTypeId ?? 0)
    .u32(56, options.valueTypeId ?? 0)
    .u32(60, options.kernelValueTypeId ?? 0)
    .bigint(64, options.extra ?? 0n)
    .i32(72, options.kernelValueBtfFd ?? 0)
    .i32(76, options.tokenFd ?? 0);
  return new FileDescriptor(bpf(BpfCommand.MAP_CREATE, attr, object));
}

/** BPF_MAP_FREEZE (5.2): from now on only programs may write, and not even they to a BPF_F_RDONLY_PROG map. */
export function freezeMap(fd: FileDescriptor, object?: string): void {
  bpf(BpfCommand.MAP_FREEZE, new AttrBuffer(4).i32(0, fd.number), object);
}

/**
 * The commands on single entries of one map. One attr serves them all, so a call costs little more than the
 * system call; nothing is allocated. Each returns 0 or the negative errno. Addresses come from `addressOf`,
 * and what they belong to must hold a whole key or value.
 */
export class MapElementCalls {
  readonly #attr = new AttrBuffer(32);
  readonly #address: number = this.#attr.address;
  // Fields as 32-bit halves: faster than a DataView, and the host is little-endian.
  readonly #words: Uint32Array = new Uint32Array(this.#attr.bytes.buffer);
  #key = 0;
  #value = 0;

  constructor(fd: FileDescriptor) {
    this.#attr.i32(0, fd.number);
  }

  /** BPF_MAP_LOOKUP_ELEM; `flags` may be BPF_F_LOCK 4 (5.1). -ENOENT when the key is absent. */
  lookup(key: number, value: number, flags = 0): number {
    this.#set(key, value, flags);
    return bpfResult(BpfCommand.MAP_LOOKUP_ELEM, this.#address, 32);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM (queues and stacks 4.20, with key 0; hashes 5.14). -ENOENT when absent. */
  lookupAndDelete(key: number, value: number, flags = 0): number {
    this.#set(key, value, flags);
    return bpfResult(BpfCommand.MAP_LOOKUP_AND_DELETE_ELEM, this.#address, 32);
  }

  /** BPF_MAP_UPDATE_ELEM; `flags` are BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2, and BPF_F_LOCK 4 (5.1). */
  update(key: number, value: number, flags: number): number {
    this.#set(key, value, flags);
    return bpfResult(BpfCommand.MAP_UPDATE_ELEM, this.#address, 32);
  }

  /** BPF_MAP_DELETE_ELEM. -ENOENT when the key is absent. */
  delete(key: number): number {
    this.#set(key, 0, 0);
    return bpfResult(BpfCommand.MAP_DELETE_ELEM, this.#address, 32);
  }

  /** BPF_MAP_GET_NEXT_KEY; key 0 asks for the first. -ENOENT at the end. */
  nextKey(key: number, next: number): number {
    this.#set(key, next, 0);
    return bpfResult(BpfCommand.MAP_GET_NEXT_KEY, this.#address, 32);
  }

  #set(key: number, value: number, flags: number): void {
    const words = this.#words;
    // Loops use the same two buffers over and over.
    if (key !== this.#key) {
      this.#key = key;
      words[2] = key;
      words[3] = key / 0x1_0000_0000;
    }
    if (value !== this.#value) {
      this.#value = value;
      words[4] = value;
      words[5] = value / 0x1_0000_0000;
    }
    words[6] = flags;
  }
}

/** The commands on many entries of one map (5.6; per-CPU maps, arrays and tries later). One attr serves them all. */
export class MapBatchCalls {
  readonly #attr = new AttrBuffer(56);

  constructor(fd: FileDescriptor) {
    this.#attr.i32(36, fd.number);
  }

  /** Entries that the last call dealt with, also when it failed. */
  get count(): number {
    return this.#attr.getU32(32);
  }

  /**
   * BPF_MAP_LOOKUP_BATCH from the position at `from` (0: the start), which it stores at `to`. -ENOENT when the
   * end was reached, with `count` entries delivered all the same; -ENOSPC when hash buckets did not fit.
   */
  lookup(from: number, to: number, keys: number, values: number, count: number): number {
    this.#attr.u64(0, from).u64(8, to).u64(16, keys).u64(24, values).u32(32, count).u64(40, 0);
    return bpfResult(BpfCommand.MAP_LOOKUP_BATCH, this.#attr.address, 56);
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_BATCH (hash maps): as `lookup`, and what was delivered is gone. */
  lookupAndDelete(from: number, to: number, keys: number, values: number, count: number): number {
    this.#attr.u64(0, from).u64(8, to).u64(16, keys).u64(24, values).u32(32, count).u64(40, 0);
    return bpfResult(BpfCommand.MAP_LOOKUP_AND_DELETE_BATCH, this.#attr.address, 56);
  }

  /** BPF_MAP_UPDATE_BATCH with `flags` as for a single update. */
  update(keys: number, values: number, count: number, flags: number): number {
    this.#attr.u64(0, 0).u64(8, 0).u64(16, keys).u64(24, values).u32(32, count).u64(40, flags);
    return bpfResult(BpfCommand.MAP_UPDATE_BATCH, this.#attr.address, 56);
  }

  /** BPF_MAP_DELETE_BATCH. */
  delete(keys: number, count: number): number {
    this.#attr.u64(0, 0).u64(8, 0).u64(16, keys).u64(24, 0).u32(32, count).u64(40, 0);
    return bpfResult(BpfCommand.MAP_DELETE_BATCH, this.#attr.address, 56);
  }
}
