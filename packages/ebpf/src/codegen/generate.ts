// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind } from "../btf/types.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import { NotFoundError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { isPerCpu, MapType, mapTypeName } from "../map-type.ts";
import { parseObject } from "../parse-object.ts";
import type { VariableSpec } from "../variable-spec.ts";
import { ModuleNames } from "./module-names.ts";
import { type ModuleParts, ModuleText, type Property } from "./module-text.ts";
import { inComment, TypeScriptNames } from "./typescript-names.ts";
import { TypeScriptTypes } from "./typescript-types.ts";

/** How to write the module. */
export interface GenerateOptions {
  /** What the module's names begin with, such as `exec`: class `Exec`, functions `loadExec` and `execSpec`. */
  readonly name: string;
  /** Where the object came from, for the comment at the top. */
  readonly source?: string;
  /** C names of types to declare besides those of maps and variables: structs, unions, enums, typedefs of them. */
  readonly types?: readonly string[];
  /** What the module imports the library from; `@skep/ebpf` unless given. */
  readonly library?: string;
}

/** The two files of a module that has no TypeScript in it. */
export interface JavaScriptModule {
  /** For `name.js`. */
  readonly code: string;
  /** For `name.d.ts` beside it. */
  readonly declarations: string;
}

/**
 * Writes a TypeScript module for an eBPF object: the object itself, its structs and enums as types, its programs,
 * maps and variables as typed properties of a class, readers of its records, codecs for its types, and a function that
 * loads it.
 *
 * The module imports `@skep/ebpf` alone, does nothing when imported, and has erasable syntax only. Equal objects
 * and options give equal text. Throws what `parseObject` throws, and NotFoundError for a type that is not there.
 */
export function generate(object: Uint8Array, options: GenerateOptions): string {
  return new ModuleText("typescript", partsOf(object, options)).toString();
}

/** The same module as {@link generate} writes, in JavaScript with its declarations beside it. */
export function generateJavaScript(object: Uint8Array, options: GenerateOptions): JavaScriptModule {
  const parts = partsOf(object, options);
  return {
    code: new ModuleText("javascript", parts).toString(),
    declarations: new ModuleText("declarations", parts).toString(),
  };
}

function partsOf(object: Uint8Array, options: GenerateOptions): ModuleParts {
  const spec = parseObject(object);
  const names = new ModuleNames(options.name);
  const types = spec.btf === undefined ? undefined : new TypeScriptTypes(spec.btf, new TypeScriptNames(names.types));
  const maps = [...spec.maps.values()].filter(
    (map) => (map.data === undefined || map.type === MapType.ARENA) && map.structOps === undefined,
  );
  const variables = [...spec.variables.values()];
  const parts = {
    programs: [...spec.programs.keys()].map((name) => programProperty(spec, name)),
    maps: maps.map((map) => mapProperty(map, types)),
    structOps: [...spec.maps.values()].flatMap(structOpsProperty),
    variables: variables.map((variable) => variableProperty(variable, types)),
    initial: variables.map((variable) => ({ name: variable.name, type: variableType(variable, types) })),
    records: maps.flatMap((map) => recordsProperty(map, types)),
  };
  for (const name of options.types ?? []) addType(spec, name, types);
  const declared = types?.declared ?? [];
  const codecs = uniqueByCName(declared).map(
    ({ id, cName, name }): Property => ({
      name: cName,
      comment: `Of \`${inComment(cName)}\`.`,
      type: `Codec<${name}>`,
      value: `codecFor(btf, ${id})`,
      cast: true,
    }),
  );
  const library = options.library ?? "@skep/ebpf";
  return { ...parts, names, types: declared, codecs, object, source: options.source, library };
}

function programProperty(spec: CollectionSpec, name: string): Property {
  const section = inComment(spec.programs.get(name)?.section ?? "");
  return {
    name,
    comment: `Section \`${section}\`.`,
    type: "LoadedProgram",
    value: `collection.program(${JSON.stringify(name)})`,
    cast: false,
  };
}

function structOpsProperty({ name, structOps }: MapSpec): Property[] {
  if (structOps === undefined) return [];
  return [
    {
      name,
      comment: `A \`struct ${inComment(structOps.typeName)}\`.`,
      type: "LoadedStructOps",
      value: `collection.structOps(${JSON.stringify(name)})`,
      cast: false,
    },
  ];
}

/** Maps of maps, programs, sockets and cgroups: what goes in is not what comes out. */
const HOLDS_DESCRIPTORS: ReadonlySet<number> = new Set([
  ...[MapType.PROG_ARRAY, MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS, MapType.CGROUP_ARRAY],
  ...[MapType.SOCKMAP, MapType.SOCKHASH, MapType.XSKMAP, MapType.REUSEPORT_SOCKARRAY],
]);

function mapProperty(map: MapSpec, types: TypeScriptTypes | undefined): Property {
  const typeOf = (typeId: number, size: number): string => {
    if (size === 0 && typeId === 0) return "unknown";
    return typeId === 0 || types === undefined ? "Uint8Array" : types.reference(typeId);
  };
  const single = HOLDS_DESCRIPTORS.has(map.type) ? "unknown" : typeOf(map.valueTypeId, map.valueSize);
  const value = !isPerCpu(map.type) ? single : /^\w+$/.test(single) ? `${single}[]` : `(${single})[]`;
  const type = `BpfMap<${typeOf(map.keyTypeId, map.keySize)}, ${value}>`;
  const entries = map.type === MapType.RINGBUF ? `${map.maxEntries} bytes` : `${map.maxEntries} entries`;
  return {
    name: map.name,
    comment: `${mapTypeName(map.type)}, ${entries}.`,
    type,
    value: `collection.map(${JSON.stringify(map.name)})`,
    cast: true,
  };
}

/** The reader of a ring buffer that says what its records are. */
function recordsProperty(map: MapSpec, types: TypeScriptTypes | undefined): Property[] {
  if (map.type !== MapType.RINGBUF || map.valueTypeId === 0 || types === undefined) return [];
  const { name } = map;
  return [
    {
      name,
      comment: `The records of \`${inComment(name)}\`. For high rates: \`maps.${inComment(name)}.records()\`.`,
      type: types.reference(map.valueTypeId),
      value: String(map.valueTypeId),
      cast: true,
    },
  ];
}

function variableProperty(variable: VariableSpec, types: TypeScriptTypes | undefined): Property {
  const type = `LoadedVariable<${variableType(variable, types)}>`;
  return {
    name: variable.name,
    comment: `${variable.size} ${variable.size === 1 ? "byte" : "bytes"} in \`${inComment(variable.map)}\`.`,
    type,
    value: `collection.variable(${JSON.stringify(variable.name)})`,
    cast: true,
  };
}

function variableType({ typeId }: VariableSpec, types: TypeScriptTypes | undefined): string {
  return typeId === 0 || types === undefined ? "Uint8Array" : types.reference(typeId);
}

function addType(spec: CollectionSpec, name: string, types: TypeScriptTypes | undefined): void {
  const { btf } = spec;
  const id = btf?.idsByName(name).find((candidate) => hasDeclaration(btf, candidate));
  if (id === undefined || types === undefined) {
    throw new NotFoundError("struct, union, enum or typedef of one", name, []);
  }
  types.reference(id);
}

function hasDeclaration(btf: Btf, id: number): boolean {
  const { kind } = btf.typeById(id);
  if (kind === BtfKind.FUNC || kind === BtfKind.VAR || kind === BtfKind.DECL_TAG) return false;
  const type = btf.typeById(btf.resolve(id));
  return "members" in type || "values" in type;
}

function uniqueByCName<T extends { readonly cName: string }>(types: readonly T[]): T[] {
  const seen = new Set<string>();
  return types.filter(({ cName }) => !seen.has(cName) && seen.add(cName));
}
