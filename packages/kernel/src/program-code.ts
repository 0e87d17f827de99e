// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type FunctionInfo, type LineInfo, SkepError } from "@skep/ebpf";
import { AttrBuffer, bpfObjectInfo, type FileDescriptor } from "@skep/linux";
import { missingCapability } from "./privileges.ts";
import { PROGRAM_INFO_SIZE } from "./program-info.ts";

/** A function of a program as machine code. */
export interface JitedFunction {
  /** Where it begins; undefined when the kernel hides addresses from this process. */
  readonly address: bigint | undefined;
  /** Bytes. */
  readonly size: number;
  /** Digest of its instructions, 16 hexadecimal digits (5.0). */
  readonly tag: string;
}

/** A program's instructions and machine code, as the kernel has them (`struct bpf_prog_info`). */
export interface ProgramCode {
  /** Instructions as the verifier rewrote them, 8 bytes a slot; maps by their ids. */
  readonly translated: Uint8Array;
  /** Machine code of all functions, one after the other; empty when it is interpreted or hidden. */
  readonly jited: Uint8Array;
  /** The functions in the order of `jited`, the program itself first (4.18); empty when it is interpreted. */
  readonly functions: readonly JitedFunction[];
  /** Which function begins at which translated instruction, by types of the BTF `btfId` (5.0). */
  readonly functionInfo: readonly FunctionInfo[];
  /** Which line of C begins at which translated instruction (5.0). */
  readonly lineInfo: readonly LineInfo[];
  /** Addresses in the machine code, one a record of `lineInfo` (5.0); empty when hidden. */
  readonly jitedLines: readonly bigint[];
  /** Id of the BTF of both infos; 0 without. */
  readonly btfId: number;
}

/** Offsets in `struct bpf_prog_info`: how many there are, where they go, and how long one is. */
const ARRAYS = {
  jited: { count: 16, pointer: 24, size: 1 },
  translated: { count: 20, pointer: 32, size: 1 },
  symbols: { count: 104, pointer: 112, size: 8 },
  lengths: { count: 108, pointer: 120, size: 4 },
  functionInfo: { count: 144, pointer: 136, size: 8, sizeAt: 132 },
  lineInfo: { count: 148, pointer: 152, size: 16, sizeAt: 172 },
  jitedLines: { count: 168, pointer: 160, size: 8, sizeAt: 176 },
  tags: { count: 180, pointer: 184, size: 8 },
} as const;

type ArrayName = keyof typeof ARRAYS;
const names = Object.keys(ARRAYS) as ArrayName[];

/**
 * Asks the kernel for the code of a program: once for the sizes, once for the contents. Throws SkepError
 * `ERR_RESTRICTED_KERNEL` when it keeps the instructions to itself.
 */
export function readProgramCode(fd: FileDescriptor, object: string): ProgramCode {
  const sizes = new AttrBuffer(PROGRAM_INFO_SIZE);
  bpfObjectInfo(fd, sizes.bytes, object);
  const info = new AttrBuffer(PROGRAM_INFO_SIZE);
  const contents = {} as Record<ArrayName, DataView>;
  for (const name of names) {
    const { count, pointer, size } = ARRAYS[name];
    const length = sizes.getU32(count);
    const bytes = new Uint8Array(length * size);
    contents[name] = new DataView(bytes.buffer);
    if (length === 0) continue;
    info.u32(count, length).pointer(pointer, bytes);
    const array = ARRAYS[name];
    if ("sizeAt" in array) info.u32(array.sizeAt, size);
  }
  bpfObjectInfo(fd, info.bytes, object);
  // The kernel clears the addresses of what it keeps to itself.
  const shown = (name: ArrayName): DataView =>
    info.getBigint(ARRAYS[name].pointer) === 0n ? new DataView(new ArrayBuffer(0)) : contents[name];
  const translated = shown("translated");
  if (translated.byteLength === 0) throw restricted(object);
  const addresses = bigints(shown("symbols"));
  const tags = Buffer.from(shown("tags").buffer);
  return {
    translated: new Uint8Array(translated.buffer),
    jited: new Uint8Array(shown("jited").buffer),
    functions:
      sizes.getU32(ARRAYS.jited.count) === 0
        ? []
        : records(shown("lengths"), 4, (view, at) => ({
            address: addresses[at / 4],
            size: view.getUint32(at, true),
            tag: tags.subarray(at * 2, at * 2 + 8).toString("hex"),
          })),
    functionInfo: records(shown("functionInfo"), 8, (view, at) => ({
      instruction: view.getUint32(at, true),
      typeId: view.getUint32(at + 4, true),
    })),
    lineInfo: records(shown("lineInfo"), 16, (view, at) => ({
      instruction: view.getUint32(at, true),
      fileNameOffset: view.getUint32(at + 4, true),
      lineOffset: view.getUint32(at + 8, true),
      lineColumn: view.getUint32(at + 12, true),
    })),
    jitedLines: bigints(shown("jitedLines")),
    btfId: info.getU32(128),
  };
}

function bigints(view: DataView): bigint[] {
  return records(view, 8, (each, at) => each.getBigUint64(at, true));
}

function records<T>(view: DataView, size: number, read: (view: DataView, at: number) => T): T[] {
  return Array.from({ length: view.byteLength / size }, (_, i) => read(view, i * size));
}

/** Says what this process lacks, as far as it can be told. */
function restricted(object: string): SkepError {
  const capability = missingCapability("CAP_BPF");
  const settings = ["net.core.bpf_jit_harden", "kernel.kptr_restrict"].flatMap((name) => {
    const value = setting(name);
    return value === undefined ? [] : [`${name} is ${value}`];
  });
  return new SkepError(
    "ERR_RESTRICTED_KERNEL",
    `${object}: the kernel hides its instructions from this process (${[capability, ...settings].filter((text) => text !== undefined).join(", ")})`,
  );
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    // Not in this kernel, or not for this process to read: then there is nothing to tell.
    return undefined;
  }
}
