// SPDX-License-Identifier: Apache-2.0

import { type ProgramSpec, ProgramType, programTypeName } from "@skep/ebpf";
import { AttrBuffer, bpfObjectInfo, type FileDescriptor } from "@skep/linux";
import { descriptorFacts, numberOf, objectNameAt } from "./map-info.ts";

/** How often a program ran, counted while statistics are switched on (`enableProgramStats`, 5.1). */
export interface ProgramStats {
  readonly runs: bigint;
  /** Nanoseconds that all these runs took. */
  readonly nanoseconds: bigint;
  /** Runs left out because the program was running on that CPU already (5.12). */
  readonly recursionMisses: bigint;
}

/** What the kernel tells about a program (`struct bpf_prog_info`, 4.13, and its fdinfo). */
export interface ProgramInfo {
  readonly id: number;
  readonly name: string;
  /** One of ProgramType. */
  readonly type: number;
  /** Digest of the instructions, 16 hexadecimal digits: SHA-1 before 6.18, SHA-256 since. */
  readonly tag: string;
  /** When it was loaded, in nanoseconds since boot. */
  readonly loadTime: bigint;
  readonly createdByUid: number;
  /** Ids of the maps that it uses. */
  readonly mapIds: readonly number[];
  /** Id of its BTF; 0 when it has none. */
  readonly btfId: number;
  /** Whether its license is compatible with the GPL. */
  readonly gplCompatible: boolean;
  /**
   * Instructions as the verifier rewrote them, 8 bytes a slot; empty when the kernel hides them from this process
   * (kernel.kptr_restrict, net.core.bpf_jit_harden, no CAP_SYS_ADMIN or CAP_PERFMON).
   */
  readonly translated: Uint8Array;
  /** Bytes of machine code; 0 when it is interpreted. */
  readonly jitedSize: number;
  /** Instructions that the verifier walked (5.16). */
  readonly verifiedInstructions: number;
  /** The type that a tracing program was verified against (6.0); 0 for others. An id of the BTF `attachBtfObjectId`. */
  readonly attachBtfId: number;
  /** Id of the BTF, the kernel's own or another program's, that `attachBtfId` belongs to (6.0). */
  readonly attachBtfObjectId: number;
  /** The network interface that the program is bound to; 0 for those that are not. */
  readonly interfaceIndex: number;
  readonly stats: ProgramStats;
  /** Bytes of kernel memory that it takes; undefined where /proc does not tell. */
  readonly memory: number | undefined;
}

/** Bytes of `struct bpf_prog_info`. */
export const PROGRAM_INFO_SIZE = 232;

/** Asks the kernel about the program of a descriptor. */
export function readProgramInfo(fd: FileDescriptor, object: string): ProgramInfo {
  // Once for the sizes, once for the contents: the structure holds addresses of the caller's memory.
  const sizes = new AttrBuffer(PROGRAM_INFO_SIZE);
  bpfObjectInfo(fd, sizes.bytes, object);
  const translated = new Uint8Array(sizes.getU32(20));
  const mapIds = new Uint32Array(sizes.getU32(52));
  const info = new AttrBuffer(PROGRAM_INFO_SIZE)
    .u32(20, translated.length)
    .pointer(32, translated)
    .u32(52, mapIds.length)
    .pointer(56, mapIds);
  bpfObjectInfo(fd, info.bytes, object);
  return {
    type: info.getU32(0),
    id: info.getU32(4),
    tag: Buffer.from(info.bytes.subarray(8, 16)).toString("hex"),
    jitedSize: sizes.getU32(16),
    // The kernel clears the address when it keeps the instructions to itself.
    translated: info.getBigint(32) === 0n ? new Uint8Array(0) : translated.subarray(0, info.getU32(20)),
    loadTime: info.getBigint(40),
    createdByUid: info.getU32(48),
    mapIds: [...mapIds.subarray(0, info.getU32(52))],
    name: objectNameAt(info.bytes, 64),
    gplCompatible: (info.getU32(84) & 1) !== 0,
    btfId: info.getU32(128),
    stats: { nanoseconds: info.getBigint(192), runs: info.getBigint(200), recursionMisses: info.getBigint(208) },
    verifiedInstructions: info.getU32(216),
    attachBtfObjectId: info.getU32(220),
    attachBtfId: info.getU32(224),
    interfaceIndex: info.getU32(80),
    memory: numberOf(descriptorFacts(fd).get("memlock")),
  };
}

/** A program that somebody else loaded, as far as the kernel tells: to be attached, its attach type must be set. */
export function describeProgram(fd: FileDescriptor, object: string): ProgramSpec {
  const info = readProgramInfo(fd, object);
  return {
    name: info.name === "" ? object : info.name,
    section: info.type in ProgramType ? programTypeName(info.type) : "",
    type: info.type,
    expectedAttachType: 0,
    flags: 0,
    attachTo: "",
    target: undefined,
    instructions: info.translated,
    mapReferences: [],
    externReferences: [],
    coreRelocations: [],
    functionInfo: [],
    lineInfo: [],
    license: info.gplCompatible ? "GPL" : "",
    kernelVersion: 0,
  };
}
