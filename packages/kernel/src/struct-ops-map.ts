// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type MapSpec, NotSupportedError, type Program, type StructOpsSpec } from "@skep/ebpf";
import { createMap, type FileDescriptor, isSystemCallError, type MapCreateOptions } from "@skep/linux";
import type { LoadedTypes } from "./kernel-btf.ts";
import { KernelMap } from "./kernel-map.ts";
import { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { openModuleTypes } from "./module-types.ts";
import { objectName } from "./object-name.ts";
import { type KernelStructType, kernelStructType } from "./struct-ops-type.ts";
import { structOpsValue } from "./struct-ops-value.ts";

/** The value's type is of a module's BTF (6.9). */
const BPF_F_VTYPE_BTF_OBJ_FD = 1 << 15;
/** Any key of a map of one element. */
const zero = new Uint8Array(new ArrayBuffer(4));

/** A map whose one value is a struct of functions for the kernel, in the kernel's layout. */
export class KernelStructOpsMap extends KernelMap<Uint8Array, Uint8Array> {
  readonly structOps: StructOpsSpec;
  readonly #initial: Uint8Array;
  readonly #programs: ReadonlyMap<number, KernelProgram>;

  /** Takes over the descriptor. `programs` are by their byte offset in `initial`. */
  constructor(
    spec: MapSpec,
    structOps: StructOpsSpec,
    fd: FileDescriptor,
    initial: Uint8Array,
    programs: ReadonlyMap<number, KernelProgram>,
  ) {
    super(spec, fd, undefined);
    this.structOps = structOps;
    this.#initial = initial;
    this.#programs = programs;
  }

  /**
   * Gives the kernel the struct with its programs, which it keeps and checks: it is in use from now on, or for one of
   * `.struct_ops.link` ready for a link. Once for each map; the kernel refuses a second time. Throws ClosedError when
   * one of the programs is closed.
   */
  fill(): void {
    const view = new DataView(this.#initial.buffer);
    for (const [offset, program] of this.#programs) view.setInt32(offset, program.fd.number, true);
    this.updateRaw(zero, this.#initial);
  }
}

/**
 * Creates the map for a struct of functions. Throws InvalidValueError for a member that does not fit the kernel's
 * struct and for a program that is not loaded, and NotSupportedError when the kernel takes no such struct from
 * programs, or is older than links to them (6.4) or structs of modules (6.9). `tokenFd` is of a BPF token.
 */
export function createStructOpsMap(
  spec: MapSpec,
  structOps: StructOpsSpec,
  types: LoadedTypes | undefined,
  programs: ReadonlyMap<string, Program> | undefined,
  tokenFd?: number,
): KernelStructOpsMap {
  const object = `struct_ops "${spec.name}"`;
  if (types === undefined) throw new InvalidValueError(`${object}: the object's types are not loaded`);
  const kernel = kernelStructType(structOps.typeName);
  const { bytes, programs: wanted } = structOpsValue(spec.name, structOps, kernel);
  const placed = new Map<number, KernelProgram>();
  for (const [offset, name] of wanted) {
    const program = programs?.get(name);
    if (!(program instanceof KernelProgram)) {
      const found = program === undefined ? "is not loaded" : "belongs to another engine";
      throw new InvalidValueError(`${object} refers to program "${name}", which ${found}`);
    }
    placed.set(offset, program);
  }
  const complete: MapSpec = { ...spec, keySize: 4, valueSize: kernel.valueSize, valueTypeId: 0, maxEntries: 1 };
  const fd = create(complete, structOps, kernel, { btfFd: types.fd.number, ...(tokenFd !== undefined && { tokenFd }) });
  try {
    const map = new KernelStructOpsMap(complete, structOps, fd, bytes, placed);
    if (structOps.link) map.fill();
    return map;
  } catch (error) {
    fd.close();
    throw error;
  }
}

function create(
  spec: MapSpec,
  { link }: StructOpsSpec,
  { valueTypeId, module }: KernelStructType,
  given: Pick<MapCreateOptions, "btfFd" | "tokenFd">,
): FileDescriptor {
  const { type, keySize, valueSize, maxEntries } = spec;
  const object = `struct_ops "${spec.name}"`;
  using moduleFd = module === undefined ? undefined : openModuleTypes(module);
  if (module !== undefined && moduleFd === undefined) {
    throw new InvalidValueError(`${object}: module ${module} has gone`);
  }
  const options = {
    type,
    keySize,
    valueSize,
    maxEntries,
    flags: spec.flags | (moduleFd === undefined ? 0 : BPF_F_VTYPE_BTF_OBJ_FD),
    name: objectName(spec.name),
    kernelValueTypeId: valueTypeId,
    ...(moduleFd !== undefined && { kernelValueBtfFd: moduleFd.number }),
    ...given,
  };
  try {
    return createMap(options, object);
  } catch (error) {
    const version = newerThanKernel(module !== undefined ? "6.9" : link ? "6.4" : undefined);
    if (version === undefined || !isSystemCallError(error, "EINVAL")) throw error;
    const what = module !== undefined ? `a struct of module ${module}` : 'a struct in ".struct_ops.link"';
    throw new NotSupportedError(`${object}: ${what}`, version, { cause: error });
  }
}
