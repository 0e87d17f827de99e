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
  // The object itself.
  "OBJECT",
];

/** Hands out names of TypeScript types, each once. */
export class TypeScriptNames {
  readonly #taken: Set<string>;
  /** The number that a name gets when it is wanted again. */
  readonly #next = new Map<string, number>();

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set([...RESERVED, ...taken]);
  }

  /** `exec_event` becomes `ExecEvent`; when that is taken `ExecEvent2`. */
  take(cName: string): string {
    const wanted = pascalCase(cName);
    let number = this.#next.get(wanted) ?? 1;
    let name = number === 1 ? wanted : `${wanted}${number}`;
    while (this.#taken.has(name)) name = `${wanted}${++number}`;
    this.#taken.add(name);
    this.#next.set(wanted, number + 1);
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
  // In a literal it would set the prototype, quoted or not.
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Text that cannot end the comment that it stands in: U+2028 and U+2029 end a line of JavaScript, too. */
export function inComment(text: string): string {
  return text.replaceAll("*/", "* /").replaceAll(/[\r\n\u2028\u2029]+/g, " ");
}
