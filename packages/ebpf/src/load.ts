// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "./bpf-map.ts";
import type { Btf } from "./btf/btf.ts";
import { Collection, LoadedProgram, LoadedStructOps } from "./collection.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { hostIsLittleEndian } from "./columns/host-order.ts";
import { CoreRelocator } from "./core/apply-core-relocations.ts";
import type { Engine, Program } from "./engine.ts";
import { InvalidValueError, NotFoundError, SkepError } from "./errors.ts";
import { withVariables } from "./initial-data.ts";
import { withKernelConfig } from "./kernel-config.ts";
import type { MapSpec } from "./map-spec.ts";
import { isRecordMap, mapTypeName } from "./map-type.ts";
import type { ProgramSpec } from "./program-spec.ts";
import { ProgramType } from "./program-type.ts";
import { structOpsMembers } from "./struct-ops-members.ts";
import { logLevelBits, type VerifierLogLevel } from "./verifier/log-level.ts";

/** What to load, and into what. */
export interface LoadOptions {
  readonly engine: Engine;
  /** Initial values of global variables by name, as their codec takes them; the others keep the object's. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /**
   * Types to relocate against in place of the running kernel's and its modules', as `readBtf` reads them: for kernels that
   * do not show theirs, and for finding out what another kernel would make of an object. What a program is attached to,
   * and the symbols of `__ksym`, are the running kernel's all the same.
   */
  readonly kernelTypes?: Btf;
  /**
   * Names of the programs to load, with the maps that they refer to, what those hold from the start, and the maps that
   * carry records (ring buffers, perf event arrays). When absent: all maps, and all programs but those whose section begins with `?`,
   * which an object marks so to have them loaded only when asked for.
   */
  readonly programs?: readonly string[];
  /**
   * Names of the structs of functions to load, with their programs. When absent: all but those in a section that begins
   * with `?`, or with `programs` none.
   */
  readonly structOps?: readonly string[];
  /**
   * Loaded programs that others are verified against and attached to, by those others' names: what a `freplace` replaces
   * a function of (5.6), or a `fentry` or `fexit` observes one of (5.5). The function is what the section names, or
   * `attachTo` of the program's spec.
   */
  readonly targetPrograms?: Readonly<Record<string, Program | LoadedProgram>>;
  /**
   * What the verifier is to write down of programs that it accepts, for `LoadedProgram.verifierLog`. When absent it
   * writes only when it refuses, which loads faster; `off` keeps it from that, too.
   */
  readonly verifierLog?: VerifierLogLevel;
  /**
   * Directory of a BPF file system (`/sys/fs/bpf`, as libbpf has it) for maps that the object wants pinned by name:
   * a map that is pinned there already is used, provided that it is alike; else a new one is pinned. Without it the
   * engine refuses such maps, unless `maps` has them.
   */
  readonly pinDirectory?: string;
  /**
   * Maps to be used in place of new ones, by name, with what they hold: no `variables` are written into them. They stay
   * the caller's: the collection does not close them.
   */
  readonly maps?: ReadonlyMap<string, BpfMap>;
}

/**
 * Brings an object to life in an engine: creates its maps with their initial data, applies the CO-RE relocations
 * against the kernel's types, and has the engine verify and load its programs. Nothing is attached yet.
 *
 * All or nothing: when anything fails, whatever was made is closed before the error is thrown. Throws NotFoundError
 * for unknown names, InvalidValueError for values that do not fit, VerifierError for a refused program, and
 * what the engine throws.
 */
export function load(spec: CollectionSpec, options: LoadOptions): Collection {
  const { engine } = options;
  if (!engine.capabilities.recording && (spec.byteOrder === "little") !== hostIsLittleEndian()) {
    throw new InvalidValueError(`the object is ${spec.byteOrder}-endian, this machine is not`);
  }
  const all = withVariables(spec, options.variables ?? {});
  for (const name of options.maps?.keys() ?? []) {
    if (!all.has(name)) throw new NotFoundError("map", name, all.keys());
  }
  for (const name of Object.keys(options.variables ?? {})) {
    const map = spec.variables.get(name)?.map ?? "";
    if (options.maps?.has(map)) {
      throw new InvalidValueError(`variable "${name}" lies in map "${map}", which is given with what it holds`);
    }
  }
  for (const name of Object.keys(options.targetPrograms ?? {})) {
    if (!spec.programs.has(name)) throw new NotFoundError("program", name, spec.programs.keys());
  }
  const { programs, maps: chosen } = choose(spec, all, options);
  const mapSpecs = engine.capabilities.recording ? chosen : withKernelConfig(spec, chosen, options);

  using unwind = new DisposableStack();
  const types = spec.btf === undefined ? undefined : engine.loadTypes(spec.btf);
  // The kernel keeps what maps and programs need of the types; the handle is only for making them.
  using _types = types;
  const maps = new Map<string, BpfMap>();
  const owned = new Map<string, BpfMap>();
  let complete = false;
  unwind.defer(() => {
    using all = new DisposableStack();
    for (const map of owned.values()) all.defer(() => (complete ? map.close() : giveUp(map)));
  });
  for (const [name, mapSpec] of mapSpecs) {
    const given = options.maps?.get(name);
    if (given !== undefined) requireSame(mapSpec, given.spec);
    // It holds programs, which are still to be loaded; no program refers to it.
    if (given === undefined && mapSpec.structOps !== undefined) continue;
    if (given === undefined) owned.set(name, engine.createMap(placed(mapSpec, options), types, spec.btf));
    maps.set(name, given ?? (owned.get(name) as BpfMap));
  }
  const loaded = new Map<string, LoadedProgram>();
  const relocate = relocation(spec, options);
  const members = structOpsMembers(mapSpecs.values(), spec.programs);
  for (const declared of programs) {
    const member = members.get(declared.name);
    const program = member === undefined ? declared : { ...declared, attachTo: member };
    const instructions = relocate(program);
    const referenced = new Map(
      program.mapReferences.map(({ map }): [string, BpfMap] => [map, maps.get(map) as BpfMap]),
    );
    const target = options.targetPrograms?.[program.name];
    const held = unwind.use(
      engine.loadProgram({
        spec: program,
        instructions,
        maps: referenced,
        types,
        ...(program.externReferences.length > 0 &&
          spec.btf !== undefined && { externs: { symbols: spec.externs, btf: spec.btf } }),
        ...(target !== undefined && { target: target instanceof LoadedProgram ? target.program : target }),
        ...(options.verifierLog !== undefined && { logLevel: logLevelBits(options.verifierLog) }),
      }),
    );
    loaded.set(program.name, new LoadedProgram(engine, held, program));
  }
  const structOps = new Map<string, LoadedStructOps>();
  const held = new Map([...loaded].map(([name, { program }]) => [name, program] as const));
  for (const [name, mapSpec] of mapSpecs) {
    if (mapSpec.structOps === undefined || options.maps?.has(name)) continue;
    const map = engine.createMap(mapSpec, types, spec.btf, held);
    owned.set(name, map);
    maps.set(name, map);
    structOps.set(name, new LoadedStructOps(engine, map));
  }
  if (!engine.capabilities.recording) fill(mapSpecs, owned, maps, loaded, spec.btf !== undefined);
  complete = true;
  return new Collection({ spec, maps, owned, programs: loaded, structOps, resources: unwind.move() });
}

/** Ends a map of a load that failed, with the pin that it got by it. */
function giveUp(map: BpfMap): void {
  if (map.discard === undefined) map.close();
  else map.discard();
}

/** What of the object is loaded: programs and maps, and whatever those need, down to the last. */
function choose(
  spec: CollectionSpec,
  all: ReadonlyMap<string, MapSpec>,
  options: LoadOptions,
): { programs: ProgramSpec[]; maps: ReadonlyMap<string, MapSpec> } {
  const programs = new Map<string, ProgramSpec>();
  const maps = new Set<string>();
  const addProgram = (name: string): void => {
    if (programs.has(name)) return;
    const program = spec.programs.get(name);
    if (program === undefined) throw new NotFoundError("program", name, spec.programs.keys());
    if (program.type === 0) {
      throw new InvalidValueError(
        `program "${name}": its section "${program.section}" names no program type; set \`type\` before loading`,
      );
    }
    programs.set(name, program);
    for (const { map } of program.mapReferences) addMap(map);
    for (const { name: extern } of program.externReferences) {
      if (!spec.externs.has(extern)) throw new NotFoundError("extern", extern, spec.externs.keys());
    }
  };
  const addMap = (name: string): void => {
    if (maps.has(name)) return;
    if (!all.has(name)) throw new NotFoundError("map", name, all.keys());
    maps.add(name);
    // A map of the caller's has its contents already.
    const contents = options.maps?.has(name) ? [] : (all.get(name)?.contents ?? []);
    for (const content of contents) (content.kind === "map" ? addMap : addProgram)(content.name);
    if (!options.maps?.has(name))
      for (const program of all.get(name)?.structOps?.programs.values() ?? []) addProgram(program);
  };
  const wanted = options.programs;
  for (const name of wanted ?? spec.programs.keys()) {
    if (wanted !== undefined || isLoadedUnasked(spec.programs.get(name))) addProgram(name);
  }
  for (const name of options.structOps ?? []) {
    if (all.get(name)?.structOps !== undefined) addMap(name);
    else
      throw new NotFoundError(
        "struct_ops",
        name,
        [...all].flatMap(([key, map]) => (map.structOps ? [key] : [])),
      );
  }
  for (const [name, { type, structOps }] of all) {
    const unasked = structOps === undefined || (options.structOps === undefined && !structOps.optional);
    if ((wanted === undefined && unasked) || isRecordMap(type)) addMap(name);
  }
  return {
    programs: [...programs.values()],
    maps: new Map([...all].filter(([name]) => maps.has(name))),
  };
}

/** Whether a program is loaded when nothing is asked for. Those of struct_ops are by what points at them. */
function isLoadedUnasked(program: ProgramSpec | undefined): boolean {
  return program?.type !== ProgramType.STRUCT_OPS && !program?.section.startsWith("?");
}

/** The spec with the place where the map is pinned, if it is to be. */
function placed(spec: MapSpec, { pinDirectory }: LoadOptions): MapSpec {
  if (spec.pinning === "none" || spec.pinPath !== undefined || pinDirectory === undefined) return spec;
  return { ...spec, pinPath: `${pinDirectory.replace(/\/+$/, "")}/${spec.name}` };
}

/** Puts maps and programs into the maps that hold some from the start. */
function fill(
  specs: ReadonlyMap<string, MapSpec>,
  owned: ReadonlyMap<string, BpfMap>,
  maps: ReadonlyMap<string, BpfMap>,
  programs: ReadonlyMap<string, LoadedProgram>,
  described: boolean,
): void {
  for (const [name, map] of owned) {
    if (map.joined === true) continue;
    for (const content of specs.get(name)?.contents ?? []) {
      const held = content.kind === "map" ? maps.get(content.name) : programs.get(content.name);
      map.update(described && map.spec.keyTypeId !== 0 ? content.index : keyBytes(content.index, map), held);
    }
  }
}

function keyBytes(index: number, { spec }: BpfMap): Uint8Array {
  const key = new Uint8Array(Math.max(4, spec.keySize));
  new DataView(key.buffer).setUint32(0, index, hostIsLittleEndian());
  return key.subarray(0, spec.keySize);
}

function requireSame(wanted: MapSpec, given: Readonly<MapSpec>): void {
  const describe = (map: Readonly<MapSpec>): string =>
    `${mapTypeName(map.type)}, ${map.keySize} and ${map.valueSize} bytes, ${map.maxEntries} entries, flags ${map.flags}`;
  // 0 leaves the number to the engine (perf event arrays: one a CPU), which has filled it in.
  const completed = wanted.maxEntries === 0 ? { ...wanted, maxEntries: given.maxEntries } : wanted;
  if (describe(completed) !== describe(given)) {
    throw new InvalidValueError(
      `map "${wanted.name}": the given one is ${describe(given)}, the object wants ${describe(wanted)}`,
    );
  }
}

/** Makes the relocator of an object when the first program needs it. */
function relocation(spec: CollectionSpec, options: LoadOptions): (program: ProgramSpec) => Uint8Array {
  let relocator: CoreRelocator | undefined;
  return (program) => {
    if (program.coreRelocations.length === 0 || spec.btf === undefined) return program.instructions;
    relocator ??= relocatorFor(program, spec.btf, options);
    return relocator?.relocate(program) ?? program.instructions;
  };
}

/** Undefined when the engine's programs see no kernel types. */
function relocatorFor(
  program: ProgramSpec,
  local: Btf,
  { engine, kernelTypes }: LoadOptions,
): CoreRelocator | undefined {
  if (kernelTypes !== undefined) return new CoreRelocator(local, kernelTypes);
  if (!engine.capabilities.kernelTypes) return undefined;
  const target = engine.kernelTypes();
  if (target === undefined) {
    throw new SkepError(
      "ERR_NO_KERNEL_TYPES",
      `program "${program.name}" reads kernel types through CO-RE, and engine "${engine.name}" has no types of this kernel`,
    );
  }
  return new CoreRelocator(local, target, () => engine.moduleTypes?.() ?? []);
}
