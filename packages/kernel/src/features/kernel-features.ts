// SPDX-License-Identifier: Apache-2.0

import { AttachType, assemble, BtfBuilder, BtfKind, MapType, ProgramType } from "@skep/ebpf";
import {
  AttrBuffer,
  addressOf,
  BpfCommand,
  createLink,
  createMap,
  FileDescriptor,
  isSystemCallError,
  type LinkCreateOptions,
  loadBtf,
  loadProgram,
  MapBatchCalls,
  MapElementCalls,
  type ProgramLoadOptions,
} from "@skep/linux";
import { KernelSymbols } from "../kernel-symbols.ts";
import { encodeFunctionInfo } from "../program-infos.ts";
import { attemptCommand, attemptMap, errnoOf, returnZero } from "./attempts.ts";
import { type BtfFeatureName, btfFeatures } from "./btf-features.ts";
import { type Attempt, type Feature, type FeatureSupport, judge, remembered } from "./feature-support.ts";
import { haveProgramHelper } from "./helper-features.ts";
import { haveMapType } from "./map-features.ts";

/** A feature that is neither a type, nor a flag, nor a helper. */
export type KernelFeatureName =
  | BtfFeatureName
  | "object names"
  | "dots in object names"
  | "bpf-to-bpf calls"
  | "global data"
  | "isa v2"
  | "isa v3"
  | "isa v4"
  | "large programs"
  | "bounded loops"
  | "syscall wrappers"
  | "func_info of programs"
  | "batch operations"
  | "lookup-and-delete in hashes"
  | "frozen maps"
  | "arena"
  | "test runs"
  | "bound maps"
  | "probe_read_kernel"
  | "bpf cookies"
  | "program attach"
  | "program replace"
  | "program query"
  | "bpf_link"
  | "link detach"
  | "iterators"
  | "perf links"
  | "kprobe_multi links"
  | "kprobe session links"
  | "uprobe_multi links"
  | "uprobe session links"
  | "tcx links"
  | "netkit links"
  | "tokens";

/** No open file has this number. */
const NONE = -1;
/** `lo`, in every network namespace. */
const LOOPBACK = 1;
const missingFile = { proofs: ["EBADF"] };
const missingSymbol = { proofs: ["ESRCH", "ENOENT"] };

const features: Readonly<Record<KernelFeatureName, Feature>> = {
  "object names": { since: "4.15", attempt: () => array({ name: "skep_probe" }) },
  "dots in object names": { since: "5.2", attempt: () => array({ name: ".rodata" }) },
  "bpf-to-bpf calls": { since: "4.16", attempt: () => program("call local f\nexit\nf:\nmov %r0, 0\nexit") },
  "global data": { since: "5.2", attempt: readGlobalData },
  "isa v2": { since: "4.14", attempt: () => program("mov %r0, 0\njlt %r0, 1, +0\nexit") },
  "isa v3": { since: "5.1", attempt: () => program("mov %r0, 0\njeq32 %r0, 1, +0\nexit") },
  // Not by ja32: older kernels take it when it leads to the next instruction.
  "isa v4": { since: "6.6", attempt: () => program("mov %r0, 1\nbswap16 %r0\nexit") },
  "large programs": { since: "5.2", attempt: () => program(`${"mov %r0, 0\n".repeat(4096)}exit`) },
  "bounded loops": {
    since: "5.3",
    attempt: () => program("mov %r0, 10\nagain:\nsub %r0, 1\njne %r0, 0, again\nexit"),
  },
  "syscall wrappers": { since: "4.17", attempt: findSyscallWrapper },
  ...btfFeatures,
  "func_info of programs": { since: "5.0", attempt: loadWithFunctionInfo },
  "batch operations": { since: "5.6", attempt: lookupBatch },
  "lookup-and-delete in hashes": { since: "5.14", attempt: lookupAndDelete, proofs: ["ENOENT"] },
  "frozen maps": { since: "5.2", attempt: withOneFile(BpfCommand.MAP_FREEZE), ...missingFile },
  arena: { since: "6.9", attempt: () => haveMapType(MapType.ARENA) },
  "test runs": { since: "4.12", attempt: withOneFile(BpfCommand.PROG_TEST_RUN, 80), ...missingFile },
  "bound maps": { since: "5.10", attempt: () => command(BpfCommand.PROG_BIND_MAP, [NONE, NONE, 0]), ...missingFile },
  probe_read_kernel: { since: "5.5", attempt: () => haveProgramHelper(ProgramType.KPROBE, "probe_read_kernel") },
  "bpf cookies": { since: "5.15", attempt: () => haveProgramHelper(ProgramType.KPROBE, "get_attach_cookie") },
  "program attach": { since: "4.10", attempt: () => cgroupAttach(0), ...missingFile },
  "program replace": { since: "5.5", attempt: () => cgroupAttach(2 | 4), ...missingFile },
  "program query": { since: "4.15", attempt: () => query(NONE, AttachType.CGROUP_INET_INGRESS), ...missingFile },
  bpf_link: {
    since: "5.7",
    attempt: () => command(BpfCommand.LINK_CREATE, [NONE, NONE, AttachType.CGROUP_INET_INGRESS, 0]),
    ...missingFile,
  },
  "link detach": { since: "5.9", attempt: withOneFile(BpfCommand.LINK_DETACH), ...missingFile },
  iterators: { since: "5.8", attempt: () => command(BpfCommand.ITER_CREATE, [NONE, 0]), ...missingFile },
  "perf links": {
    since: "5.15",
    attempt: () => link(ProgramType.TRACEPOINT, { target: NONE, attachType: AttachType.PERF_EVENT }),
    ...missingFile,
  },
  "kprobe_multi links": { since: "5.18", attempt: () => kprobeMulti(AttachType.TRACE_KPROBE_MULTI), ...missingSymbol },
  "kprobe session links": {
    since: "6.10",
    attempt: () => kprobeMulti(AttachType.TRACE_KPROBE_SESSION),
    ...missingSymbol,
  },
  // A folder holds no code.
  "uprobe_multi links": { since: "6.6", attempt: () => uprobeMulti(AttachType.TRACE_UPROBE_MULTI), ...missingFile },
  "uprobe session links": {
    since: "6.13",
    attempt: () => uprobeMulti(AttachType.TRACE_UPROBE_SESSION),
    ...missingFile,
  },
  "tcx links": { since: "6.6", attempt: () => query(LOOPBACK, AttachType.TCX_INGRESS), proofs: ["ENODEV"] },
  // The loopback interface is none of them.
  "netkit links": {
    since: "6.7",
    attempt: () => query(LOOPBACK, AttachType.NETKIT_PRIMARY),
    proofs: ["ENODEV", "ENXIO", "EACCES"],
  },
  tokens: { since: "6.9", attempt: () => command(BpfCommand.TOKEN_CREATE, [0, NONE]), ...missingFile },
};

/** The features that {@link haveKernelFeature} can look for. */
export const kernelFeatureNames: readonly KernelFeatureName[] = Object.keys(features) as KernelFeatureName[];

/** First kernel with a feature. */
export function kernelFeatureSince(name: KernelFeatureName): string {
  return features[name].since;
}

/**
 * Whether the running kernel has a feature, by a map or a program that is given back at once, or by a call that cannot
 * succeed and fails in a way that tells. Nothing is ever attached.
 */
export function haveKernelFeature(name: KernelFeatureName): FeatureSupport {
  return remembered(`feature ${name}`, () => {
    const { attempt, since, proofs } = features[name];
    const outcome = attempt();
    if ("command" in outcome) return judge(outcome, since, proofs);
    return outcome.state === "no" ? { ...outcome, minimumVersion: since } : outcome;
  });
}

function array(extra: { readonly name: string }): Attempt {
  return attemptMap({ type: MapType.ARRAY, keySize: 4, valueSize: 4, maxEntries: 1, ...extra });
}

function program(text: string): Attempt {
  return load(assemble(text).instructions);
}

function load(instructions: Uint8Array, more: Partial<ProgramLoadOptions> = {}): Attempt {
  const { result } = loadProgram({ type: ProgramType.SOCKET_FILTER, instructions, license: "GPL", ...more });
  if (result >= 0) new FileDescriptor(result).close();
  return { command: BpfCommand.PROG_LOAD, errno: Math.max(0, -result) };
}

/** A call whose structure is of 32-bit words. */
function command(number: BpfCommand, words: readonly number[]): Attempt {
  const attr = new AttrBuffer(words.length * 4);
  for (const [index, word] of words.entries()) attr.i32(index * 4, word);
  return attemptCommand(number, attr);
}

function withOneFile(number: BpfCommand, size = 4): () => Attempt {
  return () => attemptCommand(number, new AttrBuffer(size).i32(0, NONE));
}

function cgroupAttach(flags: number): Attempt {
  return command(BpfCommand.PROG_ATTACH, [NONE, NONE, AttachType.CGROUP_INET_INGRESS, flags, NONE]);
}

function query(target: number, attachType: AttachType): Attempt {
  return attemptCommand(BpfCommand.PROG_QUERY, new AttrBuffer(64).i32(0, target).u32(4, attachType));
}

/** Tries to link a program that is loaded for it, to what is not there. */
function link(type: ProgramType, options: Omit<LinkCreateOptions, "program">): Attempt {
  const loaded = loadProgram({
    type,
    expectedAttachType: options.attachType,
    instructions: returnZero,
    license: "GPL",
  });
  if (loaded.result < 0) return { command: BpfCommand.PROG_LOAD, errno: -loaded.result };
  using fd = new FileDescriptor(loaded.result);
  return errnoOf(BpfCommand.LINK_CREATE, () => createLink({ ...options, program: fd }));
}

function kprobeMulti(attachType: AttachType): Attempt {
  const symbols = ["skep_has_no_such_function"];
  const detail = { kind: "kprobe_multi", flags: 0, symbols, cookies: undefined } as const;
  return link(ProgramType.KPROBE, { attachType, detail });
}

function uprobeMulti(attachType: AttachType): Attempt {
  const where = { path: "/", offsets: new BigUint64Array(1), referenceCounters: undefined, cookies: undefined };
  return link(ProgramType.KPROBE, { attachType, detail: { kind: "uprobe_multi", ...where, flags: 0, pid: 0 } });
}

/** Tries something on a map of one entry with a key of 4 bytes and a value of 8. */
function withMap(type: MapType, attempt: (fd: FileDescriptor) => Attempt): Attempt {
  try {
    using fd = createMap({ type, keySize: 4, valueSize: 8, maxEntries: 1 });
    return attempt(fd);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    return { command: BpfCommand.MAP_CREATE, errno: error.errno };
  }
}

/** `mov r0, 0; exit` as a function `f` that BTF describes. */
function loadWithFunctionInfo(): Attempt {
  const types = new BtfBuilder();
  const proto = types.add({ kind: BtfKind.FUNC_PROTO, name: "", returns: 0, parameters: [] });
  const typeId = types.add({ kind: BtfKind.FUNC, name: "f", type: proto, linkage: "static" });
  const btf = loadBtf(types.build());
  if (btf < 0) return { command: BpfCommand.BTF_LOAD, errno: -btf };
  using fd = new FileDescriptor(btf);
  const functionInfo = encodeFunctionInfo([{ instruction: 0, typeId }]);
  return load(returnZero, { btfFd: fd.number, functionInfo });
}

/** Whether system calls are functions of the form `__x64_sys_bpf`, which is what kprobes on them are called then. */
function findSyscallWrapper(): FeatureSupport {
  const symbols = new KernelSymbols();
  const name = process.arch === "arm64" ? "__arm64_sys_bpf" : "__x64_sys_bpf";
  if (symbols.has(name)) return { state: "yes" };
  const reason = `/proc/kallsyms has no ${name}`;
  if (!symbols.has("sys_bpf")) return { state: "unknown", reason };
  return { state: "no", minimumVersion: "4.17", reason };
}

function readGlobalData(): Attempt {
  return withMap(MapType.ARRAY, (fd) => {
    const { instructions } = assemble("lddw %r1, map[data][0]+0\nldxw %r0, [%r1+0]\nexit");
    const bytes = new Uint8Array(instructions);
    new DataView(bytes.buffer).setInt32(4, fd.number, true);
    // The source register of an ld_imm64 says what its number is: BPF_PSEUDO_MAP_VALUE.
    bytes[1] = (2 << 4) | 1;
    return load(bytes);
  });
}

function lookupBatch(): Attempt {
  return withMap(MapType.ARRAY, (fd) => {
    const [position, keys, values] = [new Uint8Array(8), new Uint8Array(4), new Uint8Array(8)];
    const result = new MapBatchCalls(fd).lookup(0, addressOf(position), addressOf(keys), addressOf(values), 1);
    return { command: BpfCommand.MAP_LOOKUP_BATCH, errno: Math.max(0, -result) };
  });
}

function lookupAndDelete(): Attempt {
  return withMap(MapType.HASH, (fd) => {
    const [key, value] = [new Uint8Array(4), new Uint8Array(8)];
    const result = new MapElementCalls(fd).lookupAndDelete(addressOf(key), addressOf(value));
    return { command: BpfCommand.MAP_LOOKUP_AND_DELETE_ELEM, errno: Math.max(0, -result) };
  });
}
