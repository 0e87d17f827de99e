// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf.ts";
import { knownTypes } from "../known-types.ts";
import { BtfKind } from "../types.ts";

/**
 * What a name may be to stand in C as an attribute: a word, perhaps with words, numbers and plain strings in
 * brackets.
 */
const ATTRIBUTE = /^\w+(\(([\w\s,.+-]|"[\w\s,.+-]*")*\))?$/;
/** What the printer finds out from sizes and offsets, for every compiler's BTF. */
const LAYOUT = /^(packed|aligned|mode|vector_size)\b/;
const NONE: readonly string[] = [];

/** An attribute as C writes it, with a text as its argument if one is given; empty for a name that C could not read. */
export function cAttribute(name: string, text?: string): string {
  if (text !== undefined) return `__attribute__((${name}("${text.replaceAll(/["\\\n]/g, "_")}")))`;
  return ATTRIBUTE.test(name) && !LAYOUT.test(name) ? `__attribute__((${name}))` : "";
}

/**
 * The attributes of declarations: declaration tags with kind_flag (Linux 6.15). Other tags say nothing to a compiler.
 */
export class CAttributes {
  readonly #byTarget = new Map<number, Map<number, string[]>>();

  /** Looks through all types once. */
  constructor(btf: Btf) {
    for (const [, tag] of knownTypes(btf)) {
      if (tag.kind !== BtfKind.DECL_TAG || tag.attribute !== true) continue;
      const attribute = cAttribute(tag.name);
      if (attribute === "") continue;
      const components = this.#byTarget.get(tag.type) ?? new Map<number, string[]>();
      this.#byTarget.set(tag.type, components);
      const attributes = components.get(tag.component);
      if (attributes === undefined) components.set(tag.component, [attribute]);
      else attributes.push(attribute);
    }
  }

  /** Of a type, or of its member or parameter `component`, in the order of their ids. */
  of(id: number, component = -1): readonly string[] {
    return this.#byTarget.get(id)?.get(component) ?? NONE;
  }
}
