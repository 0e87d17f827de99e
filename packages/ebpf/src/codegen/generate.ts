// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind } from "../btf/types.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import { NotFoundError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { isPerCpu, MapType, mapTypeName } from "../map-type.ts";
import { parseObject } from "../parse-object.ts";
import type { VariableSpec } from "../variable-spec.ts";
import { objectToBase64 } from "./base64.ts";
import { inComment, pascalCase, propertyKey, TypeScriptNames } from "./typescript-names.ts";
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

/** A property of the generated interfaces, and what its getter returns. */
interface Property {
  readonly name: string;
  readonly comment: string;
  readonly type: string;
  readonly value: string;
}

/**
 * Writes a TypeScript module for an eBPF object: the object itself, its structs and enums as types, its programs,
 * maps and variables as typed properties of a class, codecs for its types, and a function that loads it.
 *
 * The module imports `@skep/ebpf` alone, does nothing when imported, and has erasable syntax only. Equal objects
 * and options give equal text. Throws what `parseObject` throws, and NotFoundError for a type that is not there.
 */
export function generate(object: Uint8Array, options: GenerateOptions): string {
  const spec = parseObject(object);
  const names = new NamesOfModule(options.name);
  const types = spec.btf === undefined ? undefined : new TypeScriptTypes(spec.btf, new TypeScriptNames(names.all));
  const programs = [...spec.programs.keys()].map((name) => programProperty(spec, name));
  const maps = [...spec.maps.values()].filter((map) => map.data === undefined).map((map) => mapProperty(map, types));
  const variables = [...spec.variables.values()].map((variable) => variableProperty(variable, types));
  for (const name of options.types ?? []) addType(spec, name, types);
  const declared = types?.declared ?? [];
  const codecs = uniqueByCName(declared).map(
    ({ id, cName, name }): Property => ({
      name: cName,
      comment: `Of \`${inComment(cName)}\`.`,
      type: `Codec<${name}>`,
      value: `codecFor(btf, ${id}) as Codec<${name}>`,
    }),
  );
  return [
    head(options, [
      ...(programs.length > 0 ? ["type LoadedProgram"] : []),
      ...(maps.length > 0 ? ["type BpfMap"] : []),
      ...(variables.length > 0 ? ["type LoadedVariable"] : []),
      ...(codecs.length > 0 ? ["type Btf", "type Codec", "codecFor"] : []),
    ]),
    ...declared.map(({ text }) => text),
    interfaceOf(names.programs, "The programs.", programs),
    interfaceOf(names.maps, "The maps, those of data sections aside.", maps),
    interfaceOf(names.variables, "The global variables of the loaded object.", variables),
    initialValues(names, spec, types),
    loadOptions(names),
    classOf(names, programs, maps, variables),
    specFunction(names),
    ...(codecs.length > 0 ? [codecFunction(names, codecs)] : []),
    loadFunction(names),
    `const OBJECT =\n  "${objectToBase64(object)}";\n`,
  ].join("\n");
}

/** The names that a module exports by itself. */
class NamesOfModule {
  readonly class: string;
  readonly programs: string;
  readonly maps: string;
  readonly variables: string;
  readonly initial: string;
  readonly options: string;
  readonly codecs: string;
  readonly loadFunction: string;
  readonly specFunction: string;
  readonly codecFunction: string;

  constructor(name: string) {
    this.class = new TypeScriptNames().take(name);
    this.programs = `${this.class}Programs`;
    this.maps = `${this.class}Maps`;
    this.variables = `${this.class}Variables`;
    this.initial = `${this.class}InitialValues`;
    this.options = `${this.class}LoadOptions`;
    this.codecs = `${this.class}Codecs`;
    const camel = this.class.charAt(0).toLowerCase() + this.class.slice(1);
    this.loadFunction = `load${this.class}`;
    this.specFunction = `${camel}Spec`;
    this.codecFunction = `${camel}Codecs`;
  }

  get all(): string[] {
    return [this.class, this.programs, this.maps, this.variables, this.initial, this.options, this.codecs];
  }
}

function programProperty(spec: CollectionSpec, name: string): Property {
  const section = inComment(spec.programs.get(name)?.section ?? "");
  return {
    name,
    comment: `Section \`${section}\`.`,
    type: "LoadedProgram",
    value: `collection.program(${JSON.stringify(name)})`,
  };
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
    value: `collection.map(${JSON.stringify(map.name)}) as ${type}`,
  };
}

function variableProperty(variable: VariableSpec, types: TypeScriptTypes | undefined): Property {
  const type = `LoadedVariable<${variableType(variable, types)}>`;
  return {
    name: variable.name,
    comment: `${variable.size} ${variable.size === 1 ? "byte" : "bytes"} in \`${inComment(variable.map)}\`.`,
    type,
    value: `collection.variable(${JSON.stringify(variable.name)}) as ${type}`,
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

/** `used` are the imports that not every module needs: an unused one is an error under strict compiler settings. */
function head(options: GenerateOptions, used: readonly string[]): string {
  const bare = (name: string): string => name.replace("type ", "").toLowerCase();
  const imports = [
    ...used,
    ...["type Collection", "type CollectionSpec", "type LoadOptions", "load", "objectFromBase64", "parseObject"],
  ].sort((a, b) => (bare(a) < bare(b) ? -1 : 1));
  const from = options.source === undefined ? "" : ` from ${inComment(options.source)}`;
  return (
    `// Generated by \`skep bpf generate\`${from}. Do not edit: generate it again.\n\n` +
    `import {\n${imports.map((name) => `  ${name},\n`).join("")}} from ${JSON.stringify(options.library ?? "@skep/ebpf")};\n`
  );
}

function interfaceOf(name: string, comment: string, properties: readonly Property[]): string {
  const lines = properties.map(
    (property) => `  /** ${property.comment} */\n  readonly ${propertyKey(property.name)}: ${property.type};\n`,
  );
  return `/** ${comment} */\nexport interface ${name} {${lines.length === 0 ? "" : "\n"}${lines.join("")}}\n`;
}

function initialValues(names: NamesOfModule, spec: CollectionSpec, types: TypeScriptTypes | undefined): string {
  const lines = [...spec.variables.values()].map(
    (variable) => `  readonly ${propertyKey(variable.name)}?: ${variableType(variable, types)};\n`,
  );
  const body = `{${lines.length === 0 ? "" : "\n"}${lines.join("")}}`;
  return `/** Values of global variables before the load; the others keep the object's. */\nexport interface ${names.initial} ${body}\n`;
}

function loadOptions(names: NamesOfModule): string {
  return (
    `/** What {@link ${names.loadFunction}} takes. */\n` +
    `export interface ${names.options} extends Omit<LoadOptions, "variables"> {\n` +
    `  readonly variables?: ${names.initial};\n}\n`
  );
}

function classOf(
  names: NamesOfModule,
  programs: readonly Property[],
  maps: readonly Property[],
  variables: readonly Property[],
): string {
  return (
    `/** The object loaded into an engine. Owns its programs, maps and links. */\n` +
    `export class ${names.class} implements Disposable {\n` +
    `  readonly collection: Collection;\n` +
    `  readonly programs: ${names.programs};\n  readonly maps: ${names.maps};\n` +
    `  readonly variables: ${names.variables};\n\n` +
    `  constructor(collection: Collection) {\n` +
    `    this.collection = collection;\n` +
    `    this.programs = ${getters(programs, "    ")};\n` +
    `    this.maps = ${getters(maps, "    ")};\n` +
    `    this.variables = ${getters(variables, "    ")};\n` +
    `  }\n\n` +
    `  /** Detaches and gives up everything; an error in one does not keep the others open. */\n` +
    `  close(): void {\n    this.collection.close();\n  }\n\n` +
    `  [Symbol.dispose](): void {\n    this.close();\n  }\n}\n`
  );
}

/** An object that looks things up when they are asked for: not every load has all of them. */
function getters(properties: readonly Property[], indent: string): string {
  if (properties.length === 0) return "{}";
  const lines = properties.map(
    ({ name, type, value }) =>
      `${indent}  get ${propertyKey(name)}(): ${type} {\n${indent}    return ${value};\n${indent}  },\n`,
  );
  return `{\n${lines.join("")}${indent}}`;
}

function specFunction(names: NamesOfModule): string {
  return (
    `/** The object parsed, to look into it or to change it before the load. A new one each time. */\n` +
    `export function ${names.specFunction}(): CollectionSpec {\n` +
    `  return parseObject(objectFromBase64(OBJECT));\n}\n`
  );
}

function codecFunction(names: NamesOfModule, codecs: readonly Property[]): string {
  return (
    `${interfaceOf(names.codecs, "Codecs of the named types, by their names in C; each is made when it is read.", codecs)}\n` +
    `/** Makes codecs. \`spec\` must be one of {@link ${names.specFunction}}. */\n` +
    `export function ${names.codecFunction}(spec: CollectionSpec = ${names.specFunction}()): ${names.codecs} {\n` +
    `  // The object above has types.\n` +
    `  const btf = spec.btf as Btf;\n` +
    `  return ${getters(codecs, "  ")};\n}\n`
  );
}

function loadFunction(names: NamesOfModule): string {
  return (
    `/** Loads the object; see \`load\` of @skep/ebpf for what it throws. Nothing is attached yet. */\n` +
    `export function ${names.loadFunction}(options: ${names.options}): ${names.class} {\n` +
    `  const { variables, ...rest } = options;\n` +
    `  return new ${names.class}(\n` +
    `    load(${names.specFunction}(), variables === undefined ? rest : { ...rest, variables: { ...variables } }),\n` +
    `  );\n}\n`
  );
}

/** What a generated class is called for a file: `exec.bpf.c` gives `exec`. */
export function moduleNameOf(file: string): string {
  const base = file.replace(/^.*\//, "").replace(/(\.bpf)?\.[^.]*$/, "");
  const name = pascalCase(base);
  return name.charAt(0).toLowerCase() + name.slice(1);
}
