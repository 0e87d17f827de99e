// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "./bpf-map.ts";
import { Collection, LoadedProgram } from "./collection.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { hostIsLittleEndian } from "./columns/host-order.ts";
import { applyCoreRelocations } from "./core/apply-core-relocations.ts";
import type { Engine } from "./engine.ts";
import { InvalidValueError, NotFoundError, SkepError } from "./errors.ts";
import { withVariables } from "./initial-data.ts";
import type { MapSpec } from "./map-spec.ts";
import { isRecordMap, mapTypeName } from "./map-type.ts";
import type { ProgramSpec } from "./program-spec.ts";

/** What to load, and into what. */
export interface LoadOptions {
  readonly engine: Engine;
  /** Initial values of global variables by name, as their codec takes them; the others keep the object's. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /**
   * Names of the programs to load, with the maps that they refer to, what those hold from the start, and the maps that
   * carry records (ring buffers, perf event arrays). When absent: all maps, and all programs but those whose section begins with `?`,
   * which an object marks so to have them loaded only when asked for.
   */
  readonly programs?: readonly string[];
  /**
   * Directory of a BPF file system (`/sys/fs/bpf`, as libbpf has it) for maps that the object wants pinned by name:
   * a map that is pinned there already is used, provided that it is alike; else a new one is pinned. Without it the
   * engine refuses such maps, unless `maps` has them.
   */
  readonly pinDirectory?: string;
  /** Maps to be used in place of new ones, by name. They stay the caller's: the collection does not close them. */
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
  const { programs, maps: mapSpecs } = choose(spec, all, options);

  using unwind = new DisposableStack();
  const types = spec.btf === undefined ? undefined : engine.loadTypes(spec.btf);
  // The kernel keeps what maps and programs need of the types; the handle is only for making them.
  using _types = types;
  const maps = new Map<string, BpfMap>();
  const owned = new Map<string, BpfMap>();
  unwind.defer(() => {
    using all = new DisposableStack();
    for (const map of owned.values()) all.use(map);
  });
  for (const [name, mapSpec] of mapSpecs) {
    const given = options.maps?.get(name);
    if (given !== undefined) requireSame(mapSpec, given.spec);
    if (given === undefined) owned.set(name, engine.createMap(placed(mapSpec, options), types, spec.btf));
    maps.set(name, given ?? (owned.get(name) as BpfMap));
  }
  const loaded = new Map<string, LoadedProgram>();
  for (const program of programs) {
    const instructions = relocate(spec, program, engine);
    const referenced = new Map(
      program.mapReferences.map(({ map }): [string, BpfMap] => [map, maps.get(map) as BpfMap]),
    );
    const held = unwind.use(engine.loadProgram({ spec: program, instructions, maps: referenced, types }));
    loaded.set(program.name, new LoadedProgram(engine, held, program));
  }
  if (!engine.capabilities.recording) fill(mapSpecs, owned, maps, loaded, spec.btf !== undefined);
  return new Collection({ spec, maps, owned, programs: loaded, resources: unwind.move() });
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
  };
  const addMap = (name: string): void => {
    if (maps.has(name)) return;
    maps.add(name);
    // A map of the caller's has its contents already.
    const contents = options.maps?.has(name) ? [] : (all.get(name)?.contents ?? []);
    for (const content of contents) (content.kind === "map" ? addMap : addProgram)(content.name);
  };
  const wanted = options.programs;
  for (const name of wanted ?? spec.programs.keys()) {
    if (wanted !== undefined || !spec.programs.get(name)?.section.startsWith("?")) addProgram(name);
  }
  for (const [name, { type }] of all) if (wanted === undefined || isRecordMap(type)) addMap(name);
  return {
    programs: [...programs.values()],
    maps: new Map([...all].filter(([name]) => maps.has(name))),
  };
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

function relocate(spec: CollectionSpec, program: ProgramSpec, engine: Engine): Uint8Array {
  if (program.coreRelocations.length === 0 || spec.btf === undefined || !engine.capabilities.kernelTypes) {
    return program.instructions;
  }
  const target = engine.kernelTypes();
  if (target === undefined) {
    throw new SkepError(
      "ERR_NO_KERNEL_TYPES",
      `program "${program.name}" reads kernel types through CO-RE, and engine "${engine.name}" has no types of this kernel`,
    );
  }
  return applyCoreRelocations(program, spec.btf, target);
}
