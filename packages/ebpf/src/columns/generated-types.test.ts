// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Btf } from "../btf/btf.ts";
import { codecFor } from "../codec-for.ts";
import { batchOf, cell } from "./btf/batch.test-kit.ts";
import { TestBtf } from "./btf/btf.test-kit.ts";
import type { ColumnLayout } from "./column-layout.ts";
import { columnsOf } from "./columns-of.ts";
import { RecordDecoder } from "./record-decoder.ts";

describe("codecs of generated types", () => {
  it("gives back what was encoded, for any type", () => {
    fc.assert(
      fc.property(
        arbitraryType(),
        fc.constantFrom("little", "big"),
        fc.nat(7),
        ({ type, value }, byteOrder, offset) => {
          const btf = new TestBtf(byteOrder as "little" | "big");
          const codec = codecFor(btf, buildType(btf, type));
          const bytes = new Uint8Array(codec.size + 16).fill(0xee).subarray(1);
          codec.encode(value, bytes, offset);
          expect(onlyGiven(codec.decode(bytes, offset), value)).toEqual(value);

          const again = new Uint8Array(codec.size);
          codec.encode(value, again, 0);
          expect(bytes.subarray(offset, offset + codec.size), "padding does not depend on what was there").toEqual(
            again,
          );
          expect(bytes.subarray(0, offset).every((byte) => byte === 0xee)).toBe(true);
          expect(bytes.subarray(offset + codec.size).every((byte) => byte === 0xee)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("columns of generated types", () => {
  it("decodes columns to what the codec decodes fields to, for any struct and any bytes", () => {
    const fields = fc.array(arbitrarySketch(), { minLength: 1, maxLength: 8 });
    const struct = fields.map((list): TypeSketch => ({ kind: "struct", fields: list }));
    fc.assert(
      fc.property(
        struct,
        fc.constantFrom("little", "big"),
        fc.infiniteStream(fc.nat(255)),
        fc.constantFrom(0, 0, 1, 2, 4),
        (type, byteOrder, stream, shift) => {
          const btf = new TestBtf(byteOrder as "little" | "big");
          const id = buildType(btf, type);
          const codec = codecFor(btf, id);
          const records = [0, 1, 2].map(() => Uint8Array.from({ length: codec.size }, () => stream.next().value ?? 0));
          const layouts = columnsOf(btf, id);
          const decoder = new RecordDecoder(layouts, { recordSize: codec.size, byteOrder: btf.byteOrder });
          const { length, vectors, malformed } = decoder.decode(batchOf(records, shift), 0n);
          expect({ length, malformed }).toEqual({ length: 3, malformed: 0 });
          for (const [row, record] of records.entries()) {
            const value = codec.decode(record, 0);
            for (const [column, layout] of layouts.entries()) {
              expect(cell(vectors[column], row), layout.name).toEqual(expected(btf, layout, value, record));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

const text = (value: unknown) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(value as Uint8Array);
const ascii = (value: string) => new TextEncoder().encode(value);

/** What a column's cell must be, from the whole record as its codec decodes it. */
function expected(btf: Btf, layout: ColumnLayout, record: unknown, bytes: Uint8Array): unknown {
  const value = layout.name.split("_").reduce((outer, field) => (outer as Record<string, unknown>)[field], record);
  switch (layout.encoding) {
    case "boolean":
      return value === true ? 1 : 0;
    case "integer":
      return layout.type === "i64" || layout.type === "u64" ? BigInt(value as bigint) : Number(value);
    case "enum":
      return ascii(String(value));
    case "cstring": {
      const field = bytes.subarray(layout.offset, layout.offset + layout.size);
      const end = field.indexOf(0);
      const found = field.slice(0, end === -1 ? field.length : end);
      expect(text(found), "the codec stops at the same place").toBe(value);
      return found;
    }
    case "bytes":
      if (value instanceof Uint8Array) return value;
      return bytes.slice(layout.offset, layout.offset + layout.size);
    case "float":
      return value;
    default:
      throw new Error(`${layout.encoding} in ${btf.byteOrder} is not generated`);
  }
}

/** A type as property tests generate it. Fields are named `f0`, `f1`, … */
type TypeSketch =
  | { readonly kind: "int"; readonly size: number; readonly signed: boolean; readonly bits: number }
  | { readonly kind: "bool" | "pointer" }
  | { readonly kind: "float"; readonly size: number }
  | { readonly kind: "enum"; readonly size: number; readonly signed: boolean; readonly bits: number }
  | { readonly kind: "text" | "bytes"; readonly length: number }
  | { readonly kind: "array"; readonly element: TypeSketch; readonly length: number }
  | { readonly kind: "struct" | "union"; readonly fields: readonly TypeSketch[] };

interface TypeWithValue {
  readonly type: TypeSketch;
  readonly value: unknown;
}

/** Any type, with structs, unions and arrays within each other. */
function arbitrarySketch(): fc.Arbitrary<TypeSketch> {
  const { type } = fc.letrec<{ type: TypeSketch; leaf: TypeSketch }>((tie) => ({
    leaf: fc.oneof(
      integerSketch("int"),
      integerSketch("enum"),
      fc.record({ kind: fc.constantFrom("bool" as const, "pointer" as const) }),
      fc.record({ kind: fc.constant("float" as const), size: fc.constantFrom(4, 8) }),
      fc.record({ kind: fc.constantFrom("text" as const, "bytes" as const), length: fc.integer({ min: 1, max: 70 }) }),
    ),
    type: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      tie("leaf"),
      fc.record({
        kind: fc.constant("array" as const),
        element: tie("type").filter((element) => !isByteSketch(element)),
        length: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({
        kind: fc.constantFrom("struct" as const, "struct" as const, "union" as const),
        fields: fc.array(tie("type"), { minLength: 1, maxLength: 6 }),
      }),
    ),
  }));
  return type;
}

/** Any type and a value of it that its codec takes. */
function arbitraryType(): fc.Arbitrary<TypeWithValue> {
  return arbitrarySketch().chain((type) => fc.record({ type: fc.constant(type), value: arbitraryValue(type, true) }));
}

/** Adds a sketch's type to the table and returns its id. */
function buildType(btf: TestBtf, type: TypeSketch): number {
  switch (type.kind) {
    case "int":
      return btf.typedef("number_t", btf.int(type.signed ? "int" : "unsigned", type.size, { signed: type.signed }));
    case "bool":
      return btf.int("_Bool", 1, { bool: true });
    case "pointer":
      return btf.pointer(0);
    case "float":
      return btf.float(type.size);
    case "enum":
      return btf.enumeration("letter", type.size, type.signed, [
        { name: "A", value: 0 },
        { name: "B", value: 1 },
      ]);
    case "text":
      return btf.array(btf.int("char", 1, { signed: true }), type.length);
    case "bytes":
      return btf.array(btf.constant(btf.int("unsigned char", 1)), type.length);
    case "array":
      return btf.array(buildType(btf, type.element), type.length);
    case "struct":
    case "union": {
      const members = type.fields.map((field, index) => ({
        name: `f${index}`,
        type: buildType(btf, field),
        bitSize: type.kind === "struct" ? bitSizeOf(field) : 0,
      }));
      return type.kind === "struct" ? btf.struct("s", members) : btf.union("u", members);
    }
  }
}

/** What was decoded, without the members of unions that were not given. */
function onlyGiven(decoded: unknown, given: unknown): unknown {
  if (Array.isArray(decoded) && Array.isArray(given))
    return decoded.map((item, index) => onlyGiven(item, given[index]));
  if (!isPlain(decoded) || !isPlain(given)) return decoded;
  return Object.fromEntries(Object.keys(given).map((key) => [key, onlyGiven(decoded[key], given[key])]));
}

function integerSketch<Kind extends "int" | "enum">(
  kind: Kind,
): fc.Arbitrary<{ kind: Kind; size: number; signed: boolean; bits: number }> {
  return fc.constantFrom(1, 2, 4, 8).chain((size) =>
    fc.record({
      kind: fc.constant(kind),
      size: fc.constant(size),
      signed: fc.boolean(),
      // An enum's field has room for its labels.
      bits: fc.oneof(fc.constant(0), fc.integer({ min: kind === "enum" ? 2 : 1, max: size * 8 })),
    }),
  );
}

function arbitraryValue(type: TypeSketch, whole: boolean): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "int":
      return integer(type.size, whole ? 0 : type.bits, type.signed);
    case "bool":
      return fc.boolean();
    case "pointer":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "float":
      return type.size === 4 ? fc.float() : fc.double();
    case "enum":
      return fc.constantFrom("A", "B");
    case "text":
      return fc
        .string({ unit: "binary", maxLength: type.length })
        .filter((text) => !text.includes("\0") && new TextEncoder().encode(text).length <= type.length);
    case "bytes":
      return fc.uint8Array({ minLength: type.length, maxLength: type.length });
    case "array":
      return fc.array(arbitraryValue(type.element, true), { minLength: type.length, maxLength: type.length });
    case "struct":
      return fc.record(
        Object.fromEntries(type.fields.map((field, index) => [`f${index}`, arbitraryValue(field, false)])),
      );
    case "union":
      return fc.oneof(...type.fields.map((field, index) => fc.record({ [`f${index}`]: arbitraryValue(field, true) })));
  }
}

function integer(size: number, bitSize: number, signed: boolean): fc.Arbitrary<number | bigint> {
  const bits = BigInt(bitSize === 0 ? size * 8 : bitSize);
  const min = signed ? -(1n << (bits - 1n)) : 0n;
  const max = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  return bits <= 32n ? fc.integer({ min: Number(min), max: Number(max) }) : fc.bigInt({ min, max });
}

function bitSizeOf(type: TypeSketch): number {
  return type.kind === "int" || type.kind === "enum" ? type.bits : 0;
}

/** Arrays of these are bytes. */
function isByteSketch(type: TypeSketch): boolean {
  return type.kind === "int" && type.size === 1 && !type.signed;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
