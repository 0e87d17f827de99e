// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type Btf, type MapSpec, readBtf } from "@skep/ebpf";
import { AttrBuffer, bpfObjectInfo, type FileDescriptor, openBpfObject } from "@skep/linux";

/** What the kernel tells about a map (`struct bpf_map_info`, 4.13, and its fdinfo). */
export interface MapInfo {
  readonly id: number;
  /** At most 15 characters; empty for maps without a name. */
  readonly name: string;
  /** One of MapType. */
  readonly type: number;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes, of one CPU's value in a per-CPU map. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*` of BPF_MAP_CREATE. */
  readonly flags: number;
  /** `map_extra` (5.16). */
  readonly extra: bigint;
  /** Id of the BTF that the two type ids belong to; 0 when the map was made without. */
  readonly btfId: number;
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** Bytes of kernel memory that it takes, as the kernel reckons; undefined where /proc does not tell. */
  readonly memory: number | undefined;
  /** Whether user space may not write any more; undefined where /proc does not tell. */
  readonly frozen: boolean | undefined;
}

const INFO_SIZE = 88;

/** Asks the kernel about the map of a descriptor. */
export function readMapInfo(fd: FileDescriptor, object: string): MapInfo {
  const info = new AttrBuffer(INFO_SIZE);
  bpfObjectInfo(fd, info.bytes, object);
  const facts = descriptorFacts(fd);
  return {
    type: info.getU32(0),
    id: info.getU32(4),
    keySize: info.getU32(8),
    valueSize: info.getU32(12),
    maxEntries: info.getU32(16),
    flags: info.getU32(20),
    name: objectNameAt(info.bytes, 24),
    btfId: info.getU32(64),
    keyTypeId: info.getU32(68),
    valueTypeId: info.getU32(72),
    extra: info.getBigint(80),
    memory: numberOf(facts.get("memlock")),
    frozen: facts.has("frozen") ? facts.get("frozen") === "1" : undefined,
  };
}

/** A map that somebody else made: as if an object had declared it, with the types that it was made with, or none. */
export function describeMap(
  fd: FileDescriptor,
  object: string,
  types?: Btf | "untyped",
): { readonly spec: MapSpec; readonly btf: Btf | undefined } {
  const { name, type, keySize, valueSize, maxEntries, flags, extra, keyTypeId, valueTypeId, btfId } = readMapInfo(
    fd,
    object,
  );
  const spec: MapSpec = {
    name: name === "" ? object : name,
    type,
    keySize,
    valueSize,
    maxEntries,
    flags,
    extra,
    pinning: "none",
    keyTypeId: types === "untyped" ? 0 : keyTypeId,
    valueTypeId: types === "untyped" ? 0 : valueTypeId,
  };
  if (types === "untyped") return { spec, btf: undefined };
  return { spec, btf: types ?? (btfId === 0 ? undefined : readLoadedBtf(btfId)) };
}

/** The BTF that an object was loaded with, by its id; opening it needs CAP_SYS_ADMIN. */
export function readLoadedBtf(id: number): Btf {
  using fd = openBpfObject("btf", id);
  const object = `BTF ${id}`;
  // struct bpf_btf_info: where the bytes go, and how many there are.
  const size = new AttrBuffer(32);
  bpfObjectInfo(fd, size.bytes, object);
  const bytes = new Uint8Array(size.getU32(8));
  const info = new AttrBuffer(32).pointer(0, bytes).u32(8, bytes.length);
  bpfObjectInfo(fd, info.bytes, object);
  return readBtf(bytes);
}

/** A name of BPF_OBJ_NAME_LEN bytes, to the first NUL. */
export function objectNameAt(bytes: Uint8Array, offset: number): string {
  const name = bytes.subarray(offset, offset + 16);
  const end = name.indexOf(0);
  return new TextDecoder().decode(end === -1 ? name : name.subarray(0, end));
}

/** The fields of /proc/self/fdinfo: what the structures of bpf(2) leave out. Empty without /proc. */
export function descriptorFacts(fd: FileDescriptor): ReadonlyMap<string, string> {
  let text = "";
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd.number}`, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return new Map(text.split("\n").flatMap((line) => (line.includes(":") ? [field(line)] : [])));
}

function field(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** A decimal number of fdinfo. */
export function numberOf(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
