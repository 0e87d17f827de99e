// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf/btf.ts";
import { essentialName } from "./btf/essential-name.ts";
import { type BtfComposite, BtfKind, type BtfMember } from "./btf/types.ts";
import { codecFor } from "./codec-for.ts";
import { InvalidValueError, NotFoundError, SkepError } from "./errors.ts";

/** How a struct_ops variable is registered and when; follows from its section. */
export interface StructOpsSection {
  /** `.struct_ops.link`: registered by a link, which goes when it is closed or this process ends (6.4). */
  readonly link: boolean;
  /** `?.struct_ops`: left out unless it is asked for by name. */
  readonly optional: boolean;
}

/**
 * A struct of functions for the kernel, such as a `struct tcp_congestion_ops`, as an object's variable declares it. Its
 * members may be changed before loading: numbers and text by {@link set}, functions in {@link programs}.
 */
export class StructOpsSpec implements StructOpsSection {
  readonly link: boolean;
  readonly optional: boolean;
  /** The struct's name in the kernel: the object's, without a `___flavour`. */
  readonly typeName: string;
  /** The struct as the object knows it. Members are found in the kernel's by their names. */
  readonly type: BtfComposite;
  /** The types that the struct's members refer to. */
  readonly btf: Btf;
  /** The struct in the object's layout, 0 where it points at functions. */
  readonly contents: Uint8Array;
  /** Names of programs by the member that points at them. */
  readonly programs: Map<string, string>;
  readonly #variable: string;

  constructor(
    variable: string,
    section: StructOpsSection,
    type: BtfComposite,
    btf: Btf,
    contents: Uint8Array,
    programs: Iterable<readonly [string, string]>,
  ) {
    this.#variable = variable;
    this.link = section.link;
    this.optional = section.optional;
    this.typeName = essentialName(type.name);
    this.type = type;
    this.btf = btf;
    this.contents = contents;
    this.programs = new Map(programs);
  }

  /**
   * The value of a member, as `codecFor` decodes its type. Throws NotFoundError when the object has none of that name.
   */
  get(member: string): unknown {
    const { type, bitOffset } = this.#data(member);
    return codecFor(this.btf, type).decode(this.contents, bitOffset / 8);
  }

  /** Sets a member that is not a function. Throws NotFoundError, and InvalidValueError naming the member. */
  set(member: string, value: unknown): void {
    const { type, bitOffset } = this.#data(member);
    const codec = codecFor(this.btf, type);
    // Aside first: a codec that refuses leaves its bytes undefined.
    const bytes = new Uint8Array(codec.size);
    try {
      codec.encode(value, bytes, 0);
    } catch (cause) {
      if (!(cause instanceof SkepError)) throw cause;
      throw new InvalidValueError(`struct_ops "${this.#variable}", member "${member}": ${cause.message}`, { cause });
    }
    this.contents.set(bytes, bitOffset / 8);
  }

  /** A member by name. Throws NotFoundError. */
  member(name: string): BtfMember {
    const found = this.type.members.find((member) => member.name === name);
    if (found !== undefined) return found;
    throw new NotFoundError(
      `member of struct_ops "${this.#variable}"`,
      name,
      this.type.members.map((member) => member.name),
    );
  }

  #data(name: string): BtfMember {
    const member = this.member(name);
    if (isFunctionPointer(this.btf, member.type)) {
      throw new InvalidValueError(
        `struct_ops "${this.#variable}": member "${name}" is a function; put a program's name into \`programs\``,
      );
    }
    if (member.bitSize !== 0) {
      throw new InvalidValueError(`struct_ops "${this.#variable}": member "${name}" is a bitfield; write \`contents\``);
    }
    return member;
  }
}

/** Whether a type is a pointer to a function. */
export function isFunctionPointer(btf: Btf, typeId: number): boolean {
  const pointer = btf.typeById(btf.resolve(typeId));
  return pointer.kind === BtfKind.PTR && btf.typeById(btf.resolve(pointer.type)).kind === BtfKind.FUNC_PROTO;
}
