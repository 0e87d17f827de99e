// SPDX-License-Identifier: Apache-2.0

import { EncodeProblem, show } from "./encode-problem.ts";
import { didYouMean } from "./nearest.ts";
import type { ValueCodec } from "./value-codec.ts";

/** A field of an object, `offset` bytes from where the object begins. */
export interface ObjectField {
  readonly name: string;
  readonly offset: number;
  readonly codec: ValueCodec;
}

/**
 * Fields that belong together: all of a struct's are written, exactly one of a union's. A group within a group
 * is an anonymous struct or union: its fields are the object's own.
 */
export interface FieldGroup {
  readonly union: boolean;
  readonly parts: readonly (ObjectField | FieldGroup)[];
}

type Fields = Record<string, unknown>;

/** Structs and unions as plain objects. Offsets in the group are from the object's beginning. */
export function objectCodec(size: number, group: FieldGroup): ValueCodec {
  const fields = fieldsOf(group);
  const names = new Set(fields.map((field) => field.name));
  return {
    size,
    cells: fields.reduce((sum, field) => sum + field.codec.cells, 1),
    read: (view, at) => {
      const object: Fields = {};
      for (const { name, offset, codec } of fields) {
        const value = codec.read(view, at + offset);
        // A plain assignment would set the prototype.
        if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true });
        else object[name] = value;
      }
      return object;
    },
    write: (value, view, at) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new EncodeProblem(`${show(value)} is not an object`);
      }
      for (const key in value) {
        if (!names.has(key) && Object.hasOwn(value, key))
          throw new EncodeProblem(`unknown field "${key}"${didYouMean(key, names)}`);
      }
      writeGroup(group, value as Fields, view, at);
    },
  };
}

/** Every field of a group and of those within it. */
export function fieldsOf(group: FieldGroup): ObjectField[] {
  return group.parts.flatMap((part) => ("codec" in part ? [part] : fieldsOf(part)));
}

function writeGroup(group: FieldGroup, value: Fields, view: DataView, at: number): void {
  if (group.union) {
    const part = chosenPart(group, value);
    if (part !== undefined) writePart(part, value, view, at);
    return;
  }
  for (const part of group.parts) {
    if ("codec" in part && !Object.hasOwn(value, part.name)) throw missingFields(group, value);
  }
  for (const part of group.parts) writePart(part, value, view, at);
}

function writePart(part: ObjectField | FieldGroup, value: Fields, view: DataView, at: number): void {
  if (!("codec" in part)) {
    writeGroup(part, value, view, at);
    return;
  }
  try {
    part.codec.write(value[part.name], view, at + part.offset);
  } catch (error) {
    throw error instanceof EncodeProblem ? error.within(part.name) : error;
  }
}

function missingFields(group: FieldGroup, value: Fields): EncodeProblem {
  const names = group.parts.flatMap((part) =>
    "codec" in part && !Object.hasOwn(value, part.name) ? [`"${part.name}"`] : [],
  );
  return new EncodeProblem(`${names.length === 1 ? "field" : "fields"} ${names.join(", ")} missing`);
}

/** The part of a union that a value gives; undefined only for a union without any. */
function chosenPart(union: FieldGroup, value: Fields): ObjectField | FieldGroup | undefined {
  if (union.parts.length === 0) return undefined;
  const given = union.parts.filter((part) => isGiven(part, value));
  if (given.length === 1) return given[0];
  const found = given.length === 0 ? "none" : given.map(partName).join(", ");
  throw new EncodeProblem(`a union takes exactly one of ${union.parts.map(partName).join(", ")}; given: ${found}`);
}

function isGiven(part: ObjectField | FieldGroup, value: Fields): boolean {
  return "codec" in part ? Object.hasOwn(value, part.name) : part.parts.some((inner) => isGiven(inner, value));
}

function partName(part: ObjectField | FieldGroup): string {
  if ("codec" in part) return `"${part.name}"`;
  return `{ ${fieldsOf(part)
    .map((field) => field.name)
    .join(", ")} }`;
}
