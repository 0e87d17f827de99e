// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import type { BpfMap } from "./bpf-map.ts";
import type { Btf } from "./btf/btf.ts";
import type { ExternSpec } from "./extern-spec.ts";
import type { KernelConfig } from "./kernel-config.ts";
import type { LinkInfo } from "./link-info.ts";
import type { MapSpec } from "./map-spec.ts";
import type { RunOptions, RunResult } from "./program-run.ts";
import type { ProgramSpec } from "./program-spec.ts";

/** What an engine is and can do. */
export interface Capabilities {
  /** True when events are replayed rather than observed: everything shown from it must say so. */
  readonly recording: boolean;
  /** Whether a program sees kernel types, so that CO-RE relocations are meaningful. */
  readonly kernelTypes: boolean;
}

/** A program that an engine holds. */
export interface Program extends Disposable {
  readonly name: string;
  /** What the verifier told at the `logLevel` that was asked for; empty when none was. Absent without a verifier. */
  readonly verifierLog?: string;
  /** Runs it on given input; absent in engines that run nothing. */
  run?(options?: RunOptions): RunResult;
  /** Gives the program up; what is attached stays attached until its link is closed. */
  close(): void;
}

/** What an iterator's program writes, read as it comes. Each reader walks anew, from the beginning. */
export interface IteratorReader extends Disposable {
  /** Reads the next bytes into `target` and returns how many; 0 at the end. */
  read(target: Uint8Array): number;
  /** All that is left. */
  bytes(): Uint8Array;
  /** All that is left, as UTF-8. */
  text(): string;
  close(): void;
}

/** An attached program. Closing it detaches; the kernel does so too when this process ends. */
export interface Link extends Disposable {
  readonly target: AttachTarget;
  /**
   * Puts another program in the place of the attached one, without a gap; or for struct_ops another map, of the same
   * type. Kinds: XDP, tcx, netkit, cgroup, network namespace, sockmap, iterator, struct_ops; throws NotSupportedError
   * for others.
   */
  update(what: Program | BpfMap): void;
  /**
   * Detaches and keeps the link open, as a pinned one would stay (BPF_LINK_DETACH, 5.9). Kinds: XDP, tcx, netkit,
   * cgroup, network namespace, netfilter, sockmap, struct_ops (6.10); throws NotSupportedError for others.
   */
  detach(): void;
  /** What the kernel tells about it. Throws NotSupportedError when there is no single kernel link behind it. */
  info(): LinkInfo;
  /** Starts to walk; iterators only. */
  openIterator(): IteratorReader;
  close(): void;
}

/** An object's types as an engine took them in. Closing it leaves what refers to them intact. */
export interface TypesHandle extends Disposable {
  close(): void;
}

/** A program ready for an engine: CO-RE relocations applied, the maps that it refers to created. */
export interface LoadableProgram {
  readonly spec: ProgramSpec;
  /** The instructions to load; `spec.instructions` with the relocations applied. */
  readonly instructions: Uint8Array;
  /** Every map that `spec.mapReferences` names. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly types: TypesHandle | undefined;
  /** What `spec.externReferences` names, and the types that it is declared with; absent when there is nothing. */
  readonly externs?: { readonly symbols: ReadonlyMap<string, ExternSpec>; readonly btf: Btf };
  /** The program whose function `spec.attachTo` names. */
  readonly target?: Program;
  /**
   * What the verifier is to tell although it accepts: 1 branches, 2 instructions, 4 statistics. When absent it tells
   * nothing but why it refuses; 0 keeps it from that, too.
   */
  readonly logLevel?: number;
}

/**
 * What runs eBPF: the kernel, the WebAssembly engine, or the player of a recording. Calls are synchronous;
 * only readers wait.
 */
export interface Engine extends Disposable {
  /** `kernel`, `vm` or `recording`. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Nanoseconds to add to the engine's clock (`bpf_ktime_get_ns`) to get wall-clock time since 1970. */
  clockOffset(): bigint;
  /** The kernel's types for CO-RE; undefined when the engine has none. Read once, then kept. */
  kernelTypes(): Btf | undefined;
  /**
   * The types of the kernel's modules, each read when the walk comes to it; those that cannot be read are left out.
   * Absent in engines that know of none.
   */
  moduleTypes?(): Iterable<Btf>;
  /** What the kernel tells of itself to objects that ask (`__kconfig`); absent or undefined when it tells nothing. */
  kernelConfig?(): KernelConfig | undefined;
  /** Takes in an object's types; undefined when the engine has no use for them. */
  loadTypes(btf: Btf): TypesHandle | undefined;
  /**
   * Creates a map with the contents of its data section, frozen when that is read-only; one with a `pinPath` is opened
   * there when it exists and is alike, or else pinned there. `contents` are the loader's to fill in. `programs` are for
   * struct_ops: what the members point at, by the programs' names, all of them loaded already.
   */
  createMap(
    spec: MapSpec,
    types: TypesHandle | undefined,
    btf: Btf | undefined,
    programs?: ReadonlyMap<string, Program>,
  ): BpfMap;
  /**
   * Verifies and loads, with what the program's externs are in this kernel. Throws VerifierError, and SkepError
   * `ERR_NOT_FOUND` for an extern that the kernel lacks and the object cannot do without.
   */
  loadProgram(program: LoadableProgram): Program;
  attach(program: Program, target: AttachTarget): Link;
  /** Hands the struct of a struct_ops map to the kernel: by a link, or for as long as the result is open. */
  attachStructOps(map: BpfMap): Link;
  close(): void;
}
