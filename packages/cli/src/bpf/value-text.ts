// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";

/** Names of fields that need no quotes. */
const WORD = /[A-Za-z_$][\w$.-]*/y;
const NUMBER = /[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const BYTES = /hex:((?:[0-9a-fA-F]{2}[ :]?)*)/y;
const SPACE = /\s*/y;
/** Deeper than any C type; a text that nests deeper is refused before it fills the stack. */
const DEEPEST = 64;

const words: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  null: null,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
};

/** Bytes that a text gives as `hex:0a0b`. */
export function bytesText(bytes: Uint8Array): string {
  return `hex:${Buffer.from(bytes).toString("hex")}`;
}

/**
 * A value of a map on one line, in the notation that {@link parseValue} reads: JSON with field names bare, integers of any
 * size, and bytes as `hex:0a0b`.
 */
export function formatMapValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return numberText(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return `[${value.map(formatMapValue).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${fieldName(name)}: ${formatMapValue(field)}`);
  return `{${fields.join(", ")}}`;
}

/** A double that is a large integer is written with an exponent, so that it is not read as a bigint. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

function fieldName(name: string): string {
  WORD.lastIndex = 0;
  return WORD.exec(name)?.[0] === name ? name : JSON.stringify(name);
}

/**
 * Reads a value that a person typed: a number (decimal or 0x…), a word or a quoted string, `hex:0a0b`, `true` or
 * `false`, `[…]`, `{name: …}`. JSON is read as it is. Integers beyond 2^53 become bigint. Throws InvalidValueError with
 * the place.
 */
export function parseValue(text: string): unknown {
  const reader = new ValueReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > DEEPEST) throw this.#error(`nests deeper than ${DEEPEST}`);
    this.#take(SPACE);
    const next = this.#text[this.#at];
    if (next === "[") return this.#list("]", () => this.value(depth + 1));
    if (next === "{") return Object.fromEntries(this.#list("}", () => this.#field(depth + 1)));
    const quoted = this.#take(STRING);
    if (quoted !== undefined) return this.#unquote(quoted);
    const bytes = this.#take(BYTES);
    if (bytes !== undefined) return Uint8Array.from(Buffer.from(bytes.slice(4).replace(/[ :]/g, ""), "hex"));
    if (this.#text.startsWith("-Infinity", this.#at)) {
      this.#at += "-Infinity".length;
      return Number.NEGATIVE_INFINITY;
    }
    const number = this.#take(NUMBER);
    if (number !== undefined) return toNumber(number);
    const word = this.#take(WORD);
    if (word !== undefined) return Object.hasOwn(words, word) ? words[word] : word;
    throw this.#error(next === undefined ? "a value is missing" : `"${next}" begins no value`);
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) throw this.#error(`"${this.#text.slice(this.#at)}" comes after the value`);
  }

  #field(depth: number): [string, unknown] {
    this.#take(SPACE);
    const quoted = this.#take(STRING);
    const name = quoted === undefined ? this.#take(WORD) : this.#unquote(quoted);
    if (name === undefined) throw this.#error("the name of a field is missing");
    this.#expect(":");
    return [name, this.value(depth)];
  }

  #list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at++;
    this.#take(SPACE);
    if (this.#text[this.#at] !== end) {
      do items.push(item());
      while (this.#accept(","));
    }
    this.#expect(end);
    return items;
  }

  #unquote(text: string): string {
    try {
      return JSON.parse(text) as string;
    } catch (cause) {
      throw new InvalidValueError(`${text} is not a string as JSON writes it`, { cause });
    }
  }

  #accept(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) throw this.#error(`"${character}" is missing`);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #error(what: string): InvalidValueError {
    return new InvalidValueError(`${this.#text}: at character ${this.#at + 1}, ${what}`);
  }
}

function toNumber(text: string): number | bigint {
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[-+]/, "");
  const number = sign * Number(digits);
  if (Number.isSafeInteger(number) || !/^(0[xX][0-9a-fA-F]+|\d+)$/.test(digits)) return number;
  return BigInt(sign) * BigInt(digits);
}
