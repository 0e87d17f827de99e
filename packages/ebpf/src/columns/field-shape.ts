// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfArray, type BtfInt, BtfKind, type BtfType } from "../btf/types.ts";
import { enumLabels } from "../codec/enum-codec.ts";
import { isChar } from "../codec/member-place.ts";
import type { ColumnType } from "../vector.ts";
import type { ColumnLayout } from "./column-layout.ts";

/** What a field's type alone says about its column. */
export type FieldShape = Pick<ColumnLayout, "type" | "encoding" | "signed" | "labels">;

interface Meaning extends FieldShape {
  /** The type that the typedef stands for, as messages say it. */
  readonly over: string;
  readonly fits: (type: BtfType, size: number) => boolean;
}

const isInteger = (bytes: number) => (type: BtfType) => type.kind === BtfKind.INT && type.size === bytes;
const isAddress = (type: BtfType, size: number) => type.kind === BtfKind.STRUCT && size === 16;

/** Typedefs of `skep.bpf.h` that give a field its meaning. */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["skep_ktime", { type: "time", encoding: "ktime", over: "__u64", fits: isInteger(8) }],
  ["skep_duration", { type: "i64", encoding: "integer", over: "__u64", fits: isInteger(8) }],
  ["skep_cgroup", { type: "u64", encoding: "integer", over: "__u64", fits: isInteger(8) }],
  ["skep_ipv4", { type: "ip", encoding: "ipv4", over: "__u32", fits: isInteger(4) }],
  ["skep_ipv6", { type: "ip", encoding: "ipv6", over: "a struct of 16 bytes", fits: isAddress }],
  ["skep_ip", { type: "ip", encoding: "ip", over: "a struct of 16 bytes", fits: isAddress }],
  ["skep_port_be", { type: "i32", encoding: "port", over: "__u16", fits: isInteger(2) }],
]);

/** Typedefs of `skep.bpf.h` that give an array of them its meaning. */
const elementMeanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["skep_char", { type: "text", encoding: "cstring", over: "char", fits: isInteger(1) }],
  ["skep_string_char", { type: "texts", encoding: "cstrings", over: "char", fits: isInteger(1) }],
  ["skep_address", { type: "addresses", encoding: "stack", over: "__u64", fits: isInteger(8) }],
]);

/**
 * The column that a field of this type becomes; undefined for a struct without a meaning of its own, whose fields
 * become columns instead. `refused` makes the error that is thrown.
 */
export function fieldShape(btf: Btf, typeId: number, refused: (problem: string) => Error): FieldShape | undefined {
  const meant = meaningOf(btf, typeId, meanings, refused);
  if (meant !== undefined) return meant;
  const type = btf.typeById(btf.resolve(typeId));
  switch (type.kind) {
    case BtfKind.INT:
      return integerShape(type);
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return { type: "text", encoding: "enum", signed: type.signed, labels: enumLabels(type) };
    case BtfKind.FLOAT:
      if (type.size === 4 || type.size === 8) return { type: "f64", encoding: "float" };
      return { type: "bytes", encoding: "bytes" };
    case BtfKind.PTR:
      return { type: "u64", encoding: "integer" };
    case BtfKind.ARRAY:
      return arrayShape(btf, type, refused);
    case BtfKind.UNION:
      return { type: "bytes", encoding: "bytes" };
    case BtfKind.STRUCT:
      return undefined;
    default:
      throw refused("its type has no values: write an integer, an array or a struct");
  }
}

function integerShape(type: BtfInt): FieldShape {
  if (type.bool) return { type: "bool", encoding: "boolean" };
  const columnType = integerType(type.size, type.signed);
  return columnType === undefined
    ? { type: "bytes", encoding: "bytes" }
    : { type: columnType, encoding: "integer", signed: type.signed };
}

function integerType(size: number, signed: boolean): ColumnType | undefined {
  switch (size) {
    case 1:
      return "i16";
    case 2:
      return signed ? "i16" : "i32";
    case 4:
      return signed ? "i32" : "u32";
    case 8:
      return signed ? "i64" : "u64";
    default:
      return undefined;
  }
}

function arrayShape(btf: Btf, array: BtfArray, refused: (problem: string) => Error): FieldShape {
  const meant = meaningOf(btf, array.element, elementMeanings, refused);
  if (meant !== undefined) return meant;
  return isChar(btf.typeById(btf.resolve(array.element)))
    ? { type: "text", encoding: "cstring" }
    : { type: "bytes", encoding: "bytes" };
}

/** The meaning that one of the typedefs before a type gives it; the outermost counts. */
function meaningOf(
  btf: Btf,
  typeId: number,
  known: ReadonlyMap<string, Meaning>,
  refused: (problem: string) => Error,
): FieldShape | undefined {
  const resolved = btf.resolve(typeId);
  let id = typeId;
  while (id !== resolved) {
    const type = btf.typeById(id);
    // resolve() would have refused anything else on the way.
    if (!("type" in type)) return undefined;
    const meaning = type.kind === BtfKind.TYPEDEF ? known.get(type.name) : undefined;
    if (meaning !== undefined) {
      if (!meaning.fits(btf.typeById(resolved), btf.sizeOf(resolved))) {
        throw refused(`${type.name} stands for ${meaning.over} in skep.bpf.h, here for another type: rename one`);
      }
      return { type: meaning.type, encoding: meaning.encoding };
    }
    id = type.type;
  }
  return undefined;
}
