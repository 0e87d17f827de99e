// SPDX-License-Identifier: Apache-2.0

/** Names that generated modules use themselves: a C type of such a name gets another. */
const RESERVED: readonly string[] = [
  ...[
    "Array",
    "BigInt",
    "Boolean",
    "Disposable",
    "Iterable",
    "Map",
    "Number",
    "Object",
    "Omit",
    "Readonly",
    "Record",
    "String",
  ],
  ...["Symbol", "Uint8Array", "BpfMap", "Btf", "Codec", "Collection", "CollectionSpec", "LoadOptions"],
  ...["AsyncGenerator", "LoadedLink", "LoadedProgram", "LoadedStructOps", "LoadedVariable", "RecordReaderOptions"],
];

/** Hands out names of TypeScript types, each once. */
export class TypeScriptNames {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set([...RESERVED, ...taken]);
  }

  /** `exec_event` becomes `ExecEvent`; when that is taken `ExecEvent2`. */
  take(cName: string): string {
    const wanted = pascalCase(cName);
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted}${number}`;
    this.#taken.add(name);
    return name;
  }
}

/** A C name, or the stem of a file's, in the case of TypeScript's types. */
export function pascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `T${joined}`;
}

/** A key of an object type or literal, quoted when it must be. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Text that cannot end the comment that it stands in. */
export function inComment(text: string): string {
  return text.replaceAll("*/", "* /").replaceAll(/[\r\n]+/g, " ");
}
