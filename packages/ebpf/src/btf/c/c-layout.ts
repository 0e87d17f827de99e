// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf.ts";
import { type BtfComposite, BtfKind, type BtfMember } from "../types.ts";

const POINTER_ALIGNMENT = 8;
const MAXIMUM_INTEGER_ALIGNMENT = 16;
/** Padding is written out a few bytes at a time: a struct that claims more than 64 KiB of it is not a compiler's. */
const MAXIMUM_PADDING_BITS = 65_536 * 8;

/** How a struct or union must be written, so that clang for BPF lays it out as BTF says. */
export interface CompositeLayout {
  /** Bytes that its beginning is aligned to, as written. */
  readonly alignment: number;
  readonly packed: boolean;
  /** For `__attribute__((aligned(n)))` of a union that is larger than its members ask for. */
  readonly aligned: number | undefined;
  /** Bits of padding before each member, and, in the last place, after all of them. */
  readonly padding: readonly number[];
  /** Whether C has no way to write it: members lie over each other, or far apart. Then nothing above holds. */
  readonly opaque: boolean;
}

/** Computes layouts by the rules of C for BPF (those of x86-64 too), once for each type. */
export class CLayouts {
  readonly #btf: Btf;
  readonly #known = new Map<number, CompositeLayout>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** Bytes that a value of any type is aligned to. */
  alignmentOf(id: number): number {
    const resolved = this.#btf.resolve(id);
    const type = this.#btf.typeById(resolved);
    switch (type.kind) {
      case BtfKind.INT:
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
      case BtfKind.FLOAT:
        return Math.min(MAXIMUM_INTEGER_ALIGNMENT, powerOfTwo(type.size));
      case BtfKind.PTR:
        return POINTER_ALIGNMENT;
      case BtfKind.ARRAY:
        return this.alignmentOf(type.element);
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        return this.layoutOf(resolved, type).alignment;
      default:
        return 1;
    }
  }

  /** The layout of a struct or union; decoding it has made sure that it does not hold itself. */
  layoutOf(id: number, type: BtfComposite): CompositeLayout {
    let layout = this.#known.get(id);
    if (layout === undefined) {
      layout = type.kind === BtfKind.UNION ? this.#union(type) : this.#struct(type);
      this.#known.set(id, layout);
    }
    return layout;
  }

  #union(type: BtfComposite): CompositeLayout {
    const natural = this.#naturalAlignment(type);
    const packed = type.size % natural !== 0;
    const bytes = Math.max(
      Math.min(1, type.size),
      ...type.members.map(({ type: member, bitSize }) =>
        bitSize === 0 ? this.#btf.sizeOf(member) : Math.ceil(bitSize / 8),
      ),
    );
    let alignment = packed ? 1 : natural;
    while (alignUp(bytes, alignment) < type.size) alignment *= 2;
    const grown = alignment > (packed ? 1 : natural);
    return {
      alignment,
      packed,
      aligned: grown ? alignment : undefined,
      padding: [...type.members.map(() => 0), 0],
      opaque: alignUp(bytes, alignment) !== type.size,
    };
  }

  #struct(type: BtfComposite): CompositeLayout {
    const natural = this.#naturalAlignment(type);
    const packed = type.size % natural !== 0 || type.members.some((member) => this.#isMisplaced(member));
    const padding: number[] = [];
    let opaque = false;
    let bit = 0;
    for (const member of type.members) {
      const unit = this.#btf.sizeOf(member.type) * 8;
      let place = bit;
      if (member.bitSize === 0) {
        place = alignUp(bit, packed ? 8 : this.alignmentOf(member.type) * 8);
      } else if (!packed && (bit % unit) + member.bitSize > unit) {
        place = alignUp(bit, unit);
      }
      if (member.bitOffset < bit) opaque = true;
      padding.push(member.bitOffset > place ? member.bitOffset - bit : 0);
      bit = member.bitOffset + (member.bitSize === 0 ? unit : member.bitSize);
    }
    const end = alignUp(bit, packed ? 8 : natural * 8);
    padding.push(type.size * 8 > end ? type.size * 8 - bit : 0);
    if (padding.reduce((sum, bits) => sum + bits, 0) > MAXIMUM_PADDING_BITS) opaque = true;
    return { alignment: opaque || packed ? 1 : natural, packed, aligned: undefined, padding, opaque };
  }

  #naturalAlignment(type: BtfComposite): number {
    let alignment = 1;
    for (const member of type.members) alignment = Math.max(alignment, this.alignmentOf(member.type));
    return alignment;
  }

  /** Whether a member lies where only a packed struct has it. */
  #isMisplaced({ type, bitOffset, bitSize }: BtfMember): boolean {
    if (bitSize === 0) return bitOffset % (this.alignmentOf(type) * 8) !== 0;
    const unit = this.#btf.sizeOf(type) * 8;
    return (bitOffset % unit) + bitSize > unit;
  }
}

/** Unnamed bitfields that take up `bits` bits from bit `from` on; none of them crosses a unit of its type. */
export function paddingFields(from: number, bits: number): string[] {
  const fields: string[] = [];
  let at = from;
  const end = from + bits;
  while (at < end) {
    const long = at % 64 === 0 && end - at >= 64;
    const width = long ? 64 : Math.min(8 - (at % 8), end - at);
    fields.push(`${long ? "long" : "char"} : ${width};`);
    at += width;
  }
  return fields;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** The largest power of two that is no larger. */
function powerOfTwo(size: number): number {
  return size < 1 ? 1 : 2 ** (31 - Math.clz32(size));
}
