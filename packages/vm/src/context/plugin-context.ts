// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfKind, type BtfType, InvalidValueError, NotFoundError } from "@skep/ebpf";
import type { ContextField, ContextLayout } from "./context-layout.ts";

/** The number of programs whose context a host defines; the kernel's program types end far below. */
export const PLUGIN_PROGRAM_TYPE = 0x1000;

/** A field of a host's context. */
export interface PluginField {
  readonly name: string;
  /** Bytes of one element. */
  readonly size: 1 | 2 | 4 | 8;
  /** Elements; 1 unless given. */
  readonly count?: number;
  readonly signed?: boolean;
  /** Whether programs may write it; not unless given. */
  readonly writable?: boolean;
}

/** How a struct of BTF becomes a context. */
export interface PluginStruct {
  readonly btf: Btf;
  /** The struct's name. */
  readonly struct: string;
  /** Members that programs may write; those of structs within are named `outer.inner`, and `outer` stands for all of them. */
  readonly writable?: readonly string[];
}

/**
 * A context that a host defines by its fields, laid out by their natural alignment as C does it, or by a struct that its
 * plugins were compiled with. Programs may read fields in parts and neighbours at once. Throws NotFoundError for a struct or a
 * writable member that is not there, InvalidValueError for a name that comes twice and for bitfields.
 */
export function pluginContext(name: string, shape: readonly PluginField[] | PluginStruct): ContextLayout {
  const { fields, size } = "btf" in shape ? fieldsOfStruct(shape) : fieldsInOrder(shape);
  const seen = new Set<string>();
  for (const field of fields) {
    if (seen.has(field.name)) throw new InvalidValueError(`context ${name} has two fields "${field.name}"`);
    seen.add(field.name);
  }
  return { programType: PLUGIN_PROGRAM_TYPE, name, size, fields, bytes: undefined, packet: undefined };
}

interface Fields {
  readonly fields: ContextField[];
  readonly size: number;
}

function makeField(
  name: string,
  offset: number,
  size: number,
  count: number,
  signed: boolean,
  writable: boolean,
): ContextField {
  return {
    name,
    offset,
    size,
    count,
    read: 1,
    write: writable ? 1 : 0,
    startOnly: false,
    wide: count > 1,
    padded: false,
    signed,
    pointer: undefined,
  };
}

function fieldsInOrder(shape: readonly PluginField[]): Fields {
  let at = 0;
  let alignment = 1;
  const fields = shape.map(({ name, size, count = 1, signed = false, writable = false }) => {
    const offset = Math.ceil(at / size) * size;
    at = offset + size * count;
    alignment = Math.max(alignment, size);
    return makeField(name, offset, size, count, signed, writable);
  });
  return { fields, size: Math.ceil(at / alignment) * alignment };
}

function fieldsOfStruct({ btf, struct, writable = [] }: PluginStruct): Fields {
  const [id] = btf.idsByName(struct, BtfKind.STRUCT);
  if (id === undefined) throw new NotFoundError("struct", struct, []);
  const fields: ContextField[] = [];
  addMembers(btf, id, "", 0, new Set(writable), false, fields);
  const missing = writable.find((path) => !fields.some(({ name }) => name === path || name.startsWith(`${path}.`)));
  if (missing !== undefined) {
    throw new NotFoundError(
      `member of struct ${struct}`,
      missing,
      fields.map(({ name }) => name),
    );
  }
  return { fields: fields.sort((a, b) => a.offset - b.offset), size: btf.sizeOf(id) };
}

/** Adds what a struct or union holds, `at` bytes from the context's beginning, under names that begin with `prefix`. */
function addMembers(
  btf: Btf,
  id: number,
  prefix: string,
  at: number,
  writable: ReadonlySet<string>,
  allWritable: boolean,
  fields: ContextField[],
): void {
  const composite = btf.typeById(btf.resolve(id));
  if (!("members" in composite)) return;
  for (const member of composite.members) {
    if (member.bitSize !== 0) {
      throw new InvalidValueError(`member "${prefix}${member.name}" of a context is a bitfield, which has no address`);
    }
    const offset = at + member.bitOffset / 8;
    const path = `${prefix}${member.name}`;
    const mayWrite = allWritable || writable.has(path);
    const type = btf.typeById(btf.resolve(member.type));
    if ("members" in type) {
      const inner = member.name === "" ? prefix : `${path}.`;
      addMembers(btf, member.type, inner, offset, writable, mayWrite && member.name !== "", fields);
    } else {
      const { size, count, signed } = elementsOf(btf, type, member.type);
      fields.push(makeField(path, offset, size, count, signed, mayWrite));
    }
  }
}

/** A member as elements of one size: arrays of integers as what they are, anything larger as bytes. */
function elementsOf(btf: Btf, type: BtfType, id: number): { size: number; count: number; signed: boolean } {
  const whole = btf.sizeOf(id);
  let element: BtfType = type;
  let size = whole;
  while (element.kind === BtfKind.ARRAY) {
    size = btf.sizeOf(element.element);
    element = btf.typeById(btf.resolve(element.element));
  }
  const signed = "signed" in element && element.signed;
  const plain = !("members" in element) && (size === 1 || size === 2 || size === 4 || size === 8);
  return plain ? { size, count: size === 0 ? 0 : whole / size, signed } : { size: 1, count: whole, signed: false };
}
