// SPDX-License-Identifier: Apache-2.0

import type { ContextField, ContextPointer } from "./context-layout.ts";

/** A member of a UAPI struct. */
export interface StructField {
  readonly name: string;
  /** Bytes of one element. */
  readonly size: 1 | 2 | 4 | 8;
  /** Elements; 1 unless given. */
  readonly count?: number;
  readonly pointer?: ContextPointer;
  readonly signed?: boolean;
  /** Bytes that the struct leaves free behind it, beyond those that alignment leaves. */
  readonly gap?: number;
}

/** Unsigned members of one size, by their names: `name` or `name[count]`. */
export function members(size: 1 | 2 | 4 | 8, names: string): StructField[] {
  return names
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [, name = "", count] = /^(\w+)(?:\[(\d+)\])?$/.exec(word) ?? [];
      return { name, size, ...(count !== undefined && { count: Number(count) }) };
    });
}

/** A 64-bit member that holds an address. */
export function pointer(name: string, what: ContextPointer): StructField {
  return { name, size: 8, pointer: what };
}

/** How a program type may touch the members of a struct; names of members, separated by spaces. */
export interface AccessRules {
  /** What may be touched at all; everything unless given. */
  readonly visible?: string;
  /** What may not be. */
  readonly hidden?: string;
  /** What may be read in parts; nothing unless given. `*`: all 32-bit members but those of `whole`. */
  readonly parts?: string;
  /** What may be read in parts only at its first byte. */
  readonly starts?: string;
  /** What may be read only whole. */
  readonly whole?: string;
  /** What may be written, whole. */
  readonly write?: string;
  /** What of that keeps the lower 16 bits of 32, and what only numbers below 0xffff. */
  readonly halves?: string;
  readonly queue?: string;
  /** What may be written in parts as well. */
  readonly writeParts?: string;
  /** Arrays and neighbours of which 8 bytes may be touched at once. */
  readonly wide?: string;
  /** 16-bit members behind which zeros may be read. */
  readonly padded?: string;
}

/** The members laid out by their natural alignment, with the access that the rules give. */
export function contextFields(struct: readonly StructField[], rules: AccessRules): ContextField[] {
  const visible = rules.visible === undefined ? undefined : names(rules.visible);
  const hidden = names(rules.hidden);
  const parts = names(rules.parts);
  const starts = names(rules.starts);
  const whole = names(rules.whole);
  const write = names(rules.write);
  const halves = names(rules.halves);
  const queue = names(rules.queue);
  const writeParts = names(rules.writeParts);
  const wide = names(rules.wide);
  const padded = names(rules.padded);
  const fields: ContextField[] = [];
  let offset = 0;
  for (const { name, size, count = 1, pointer: what, signed = false, gap = 0 } of struct) {
    offset = Math.ceil(offset / size) * size;
    const seen = (visible?.has(name) ?? true) && !hidden.has(name);
    const inParts =
      parts.has(name) || starts.has(name) || (parts.has("*") && size === 4 && what === undefined && !whole.has(name));
    fields.push({
      name,
      offset,
      size,
      count,
      read: seen ? (inParts ? 1 : size) : 0,
      write: seen && writeParts.has(name) ? 1 : seen && write.has(name) ? size : 0,
      startOnly: starts.has(name),
      wide: wide.has(name),
      padded: padded.has(name),
      signed,
      pointer: what,
      ...(halves.has(name) && { keeps: "half" as const }),
      ...(queue.has(name) && { keeps: "queue" as const }),
    });
    offset += size * count + gap;
  }
  return fields;
}

function names(list: string | undefined): Set<string> {
  return new Set(list?.trim().split(/\s+/));
}
