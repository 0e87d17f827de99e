// SPDX-License-Identifier: Apache-2.0

import type { ByteCursor } from "../cursor.ts";
import { MalformedError } from "../errors.ts";
import type { StringTable } from "../string-table.ts";
import type { Btf } from "./btf.ts";
import { decodeType } from "./decode-type.ts";
import { NameIndex, type NameIndexed } from "./name-index.ts";
import { SmallNameIndex } from "./small-name-index.ts";
import { BtfKind, type BtfType, type BtfVoid } from "./types.ts";

/** MAX_RESOLVE_DEPTH of kernel and libbpf: how many types may stand before another. */
const MAXIMUM_DEPTH = 32;
const POINTER_SIZE = 8;
const VOID: BtfVoid = { kind: BtfKind.VOID, name: "" };

/**
 * {@link Btf} over raw bytes: an offset for each type, everything else on demand. What is not part of the
 * interface reads single words of a type without decoding it.
 */
export class BtfTable implements Btf {
  readonly bytes: Uint8Array;
  readonly byteOrder: "little" | "big";
  /** Reads the type section and nothing else. */
  readonly types: ByteCursor;
  readonly strings: StringTable;
  /** For split BTF: the table whose types and strings come before its own. */
  readonly base: BtfTable | undefined;
  /** Id of the first type of its own. */
  readonly firstId: number;
  readonly #find: () => Uint32Array;
  #found: Uint32Array | undefined;
  readonly #decoded = new Map<number, BtfType>([[0, VOID]]);
  readonly #names: { [K in NameIndexed]?: NameIndex | SmallNameIndex } = {};
  #containment: Uint8Array | undefined;

  /**
   * Element `n` of what `find` returns is where the table's `n`-th type begins in `types`, from 1 on: type `n`, or with a
   * base the `n`-th after it. It is called once, when the first type is asked for.
   */
  constructor(bytes: Uint8Array, types: ByteCursor, strings: StringTable, find: () => Uint32Array, base?: BtfTable) {
    this.bytes = bytes;
    this.byteOrder = types.littleEndian ? "little" : "big";
    this.types = types;
    this.strings = strings;
    this.#find = find;
    this.base = base;
    this.firstId = base?.typeCount ?? 1;
  }

  get typeCount(): number {
    return this.firstId + this.#offsets.length - 1;
  }

  /** Finds where each type begins, unless that is known. Throws MalformedError for a broken type section. */
  findTypes(): void {
    void this.#offsets;
  }

  typeById(id: number): BtfType {
    if (this.base !== undefined && id < this.firstId) return this.base.typeById(id);
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const type = decodeType(this, id);
    this.#decoded.set(id, type);
    return type;
  }

  idsByName(name: string, kind?: number): readonly number[] {
    const own = this.#ownByName(name, kind);
    return this.base === undefined ? own : [...this.base.idsByName(name, kind), ...own];
  }

  idsByEssentialName(name: string): readonly number[] {
    const own = this.#index("types").essential(name);
    return this.base === undefined ? own : [...this.base.idsByEssentialName(name), ...own];
  }

  string(offset: number): string {
    return this.strings.text(offset);
  }

  sizeOf(id: number): number {
    let elements = 1;
    let current = id;
    for (let depth = 0; depth < MAXIMUM_DEPTH; depth++) {
      const kind = this.kindOf(current);
      let size: number;
      switch (kind) {
        case BtfKind.INT:
        case BtfKind.STRUCT:
        case BtfKind.UNION:
        case BtfKind.ENUM:
        case BtfKind.ENUM64:
        case BtfKind.FLOAT:
        case BtfKind.DATASEC:
          size = this.wordOf(current, 2);
          break;
        case BtfKind.PTR:
          size = POINTER_SIZE;
          break;
        case BtfKind.ARRAY:
          elements *= this.wordOf(current, 5);
          if (elements > 0xffff_ffff) throw this.malformed(id, "an array has more than 2^32 elements");
          current = this.wordOf(current, 3);
          continue;
        case BtfKind.TYPEDEF:
        case BtfKind.VOLATILE:
        case BtfKind.CONST:
        case BtfKind.RESTRICT:
        case BtfKind.TYPE_TAG:
        case BtfKind.VAR:
          current = this.wordOf(current, 2);
          continue;
        default:
          throw this.malformed(id, current === 0 ? "void has no size" : `type ${current} of kind ${kind} has no size`);
      }
      if (size * elements > 0xffff_ffff)
        throw this.malformed(id, `${elements} times ${size} bytes are more than 4 GiB`);
      return size * elements;
    }
    throw this.malformed(id, `more than ${MAXIMUM_DEPTH} types stand before one with a size`);
  }

  resolve(id: number): number {
    let current = id;
    for (let depth = 0; depth < MAXIMUM_DEPTH; depth++) {
      switch (this.kindOf(current)) {
        case BtfKind.TYPEDEF:
        case BtfKind.VOLATILE:
        case BtfKind.CONST:
        case BtfKind.RESTRICT:
        case BtfKind.TYPE_TAG:
          current = this.wordOf(current, 2);
          break;
        default:
          return current;
      }
    }
    throw this.malformed(id, `more than ${MAXIMUM_DEPTH} types stand before it`);
  }

  /** What `refuseEndless` knows of each type. */
  get containment(): Uint8Array {
    this.#containment ??= new Uint8Array(this.typeCount);
    return this.#containment;
  }

  /** Where a type of its own begins in {@link types}. Throws MalformedError for an id that is not in the table. */
  offsetOf(id: number): number {
    const offset = this.#offsets[id - this.firstId + 1];
    if (offset === undefined || id < this.firstId) {
      throw new MalformedError(this.types.place, undefined, `type ${id} does not exist, there are ${this.typeCount}`);
    }
    return offset;
  }

  /** The kind of a type, 0 for `void`. */
  kindOf(id: number): number {
    return id === 0 ? BtfKind.VOID : (this.wordOf(id, 1) >>> 24) & 0x7f;
  }

  /** The `n`-th 32-bit word of a type: 0 name, 1 info, 2 size or type, then what its kind appends. */
  wordOf(id: number, n: number): number {
    if (this.base !== undefined && id < this.firstId) return this.base.wordOf(id, n);
    return this.types.u32At(this.offsetOf(id) + n * 4);
  }

  /** An error about a type. */
  malformed(id: number, message: string): MalformedError {
    const offset = id >= this.firstId && id < this.typeCount ? this.#offsets[id - this.firstId + 1] : undefined;
    return new MalformedError(this.types.place, offset, `type ${id}: ${message}`);
  }

  get #offsets(): Uint32Array {
    if (this.#found === undefined) this.#found = this.#find();
    return this.#found;
  }

  #ownByName(name: string, kind: number | undefined): readonly number[] {
    if (kind === BtfKind.FUNC) return this.#index("functions").exact(name);
    const types = this.#index("types").exact(name);
    if (kind !== undefined) return types.filter((id) => this.kindOf(id) === kind);
    const functions = this.#index("functions").exact(name);
    return functions.length === 0 ? types : [...types, ...functions].sort((a, b) => a - b);
  }

  #index(indexed: NameIndexed): NameIndex | SmallNameIndex {
    this.#names[indexed] ??=
      this.base === undefined
        ? new NameIndex(this.types, this.strings.bytes, this.#offsets, indexed)
        : new SmallNameIndex(this, indexed);
    return this.#names[indexed];
  }
}
