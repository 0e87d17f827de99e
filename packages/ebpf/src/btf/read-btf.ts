// SPDX-License-Identifier: Apache-2.0

import { ByteCursor, type ByteOrder } from "../cursor.ts";
import { InvalidValueError, MalformedError } from "../errors.ts";
import { StringTable } from "../string-table.ts";
import type { Btf } from "./btf.ts";
import { BtfTable } from "./btf-table.ts";
import { SplitStringTable } from "./split-string-table.ts";
import { wordsOf } from "./words.ts";

const MAGIC = 0xeb9f;
/** `struct btf_header` up to the string section; Linux 7.1 appends the place of a layout table. */
const HEADER_SIZE = 24;
const HEADER_SIZE_WITH_LAYOUT = 32;
const WORD = 4;
const TYPE_WORDS = 3;
/** Bytes of a `struct btf_layout`. */
const LAYOUT_SIZE = 4;

/**
 * Bytes that follow `struct btf_type`, by kind: once, and for each of its vlen elements
 * (include/uapi/linux/btf.h).
 */
const KNOWN_SIZES: readonly (readonly [once: number, each: number])[] = [
  [0, 0], // void
  [4, 0], // INT
  [0, 0], // PTR
  [12, 0], // ARRAY
  [0, 12], // STRUCT
  [0, 12], // UNION
  [0, 8], // ENUM
  [0, 0], // FWD
  [0, 0], // TYPEDEF
  [0, 0], // VOLATILE
  [0, 0], // CONST
  [0, 0], // RESTRICT
  [0, 0], // FUNC
  [0, 8], // FUNC_PROTO
  [4, 0], // VAR
  [0, 12], // DATASEC
  [0, 0], // FLOAT
  [4, 0], // DECL_TAG
  [0, 0], // TYPE_TAG
  [0, 12], // ENUM64
];

/** {@link KNOWN_SIZES} in 32-bit words. */
const KNOWN_WORDS: KindWords = [
  Uint8Array.from(KNOWN_SIZES, ([once]) => once / WORD),
  Uint8Array.from(KNOWN_SIZES, ([, each]) => each / WORD),
];

/**
 * Reads BTF of either byte order, from an object file's .BTF section or /sys/kernel/btf/vmlinux. One pass
 * finds where each type begins; types and names are decoded when asked for.
 *
 * Kinds newer than ENUM64 are stepped over with the help of the layout table that Linux 7.1 writes; they fail
 * only when asked for. Throws MalformedError with the byte offset.
 */
export function readBtf(bytes: Uint8Array): Btf {
  return readBtfTable(bytes);
}

/**
 * As {@link readBtf}, but for the pass that finds the types: it is made when the first of them is asked for, and a broken
 * type section is told then. For the kernel's own types, of which a program may need none.
 */
export function openBtf(bytes: Uint8Array): Btf {
  return openBtfTable(bytes, undefined);
}

/**
 * Reads split BTF, such as /sys/kernel/btf/MODULE: its types and strings go on where those of `base` end, and the
 * result holds both, under their ids. It must be the very base that it was made for: nothing in
 * the bytes tells another. Throws MalformedError, and InvalidValueError when `base` is not of
 * `readBtf` or itself split.
 */
export function readSplitBtf(bytes: Uint8Array, base: Btf): Btf {
  if (!(base instanceof BtfTable) || base.base !== undefined) {
    throw new InvalidValueError("the base of split BTF is what readBtf has read, and not split itself");
  }
  return readBtfTable(bytes, base);
}

/** As {@link readBtf} and {@link readSplitBtf}, with access to the raw words of types. */
export function readBtfTable(bytes: Uint8Array, base?: BtfTable): BtfTable {
  const table = openBtfTable(bytes, base);
  table.findTypes();
  return table;
}

function openBtfTable(bytes: Uint8Array, base: BtfTable | undefined): BtfTable {
  const header = new ByteCursor(bytes, readByteOrder(bytes), "BTF header");
  header.require(0, HEADER_SIZE);
  const version = header.u8At(2);
  if (version !== 1) throw header.malformed(`version ${version}, wanted 1`, 2);
  const headerSize = header.u32At(4);
  if (headerSize < HEADER_SIZE)
    throw header.malformed(`a header of ${headerSize} bytes, wanted ${HEADER_SIZE} or more`, 4);
  header.require(0, headerSize);
  for (let at = HEADER_SIZE_WITH_LAYOUT; at < headerSize; at++) {
    if (bytes[at] !== 0) throw header.malformed("the header goes on with fields that are not known here", at);
  }

  const section = (name: string, at: number): Uint8Array => {
    const offset = headerSize + header.u32At(at);
    const size = header.u32At(at + 4);
    if (offset + size > bytes.length) {
      throw header.malformed(`${name} of ${size} bytes at byte ${offset} end past the input of ${bytes.length}`, at);
    }
    return bytes.subarray(offset, offset + size);
  };
  const byteOrder: ByteOrder = header.littleEndian ? "little" : "big";
  const types = new ByteCursor(section("types", 8), byteOrder, "BTF types");
  const strings = section("strings", 16);
  const begins = base === undefined ? strings[0] === 0 : true;
  const ends = base !== undefined && strings.length === 0 ? true : strings[strings.length - 1] === 0;
  if (!begins || !ends) {
    throw new MalformedError("BTF strings", 0, "the table does not begin and end with NUL");
  }
  const layout =
    headerSize >= HEADER_SIZE_WITH_LAYOUT ? new ByteCursor(section("layouts", 24), byteOrder, "BTF layout") : undefined;
  if (base !== undefined && base.byteOrder !== byteOrder) {
    throw header.malformed(`it is ${byteOrder}-endian, its base is not`, 0);
  }
  const find = (): Uint32Array => scan(types, strings.length + (base?.strings.bytes.length ?? 0), layout);
  const table =
    base === undefined
      ? new StringTable(strings, "BTF strings")
      : new SplitStringTable(strings, "BTF strings", base.strings);
  return new BtfTable(bytes, types, table, find, base);
}

function readByteOrder(bytes: Uint8Array): ByteOrder {
  const first = bytes[0];
  const second = bytes[1];
  if (first === (MAGIC & 0xff) && second === MAGIC >> 8) return "little";
  if (first === MAGIC >> 8 && second === (MAGIC & 0xff)) return "big";
  throw new MalformedError("BTF header", 0, "this is not BTF: the magic number is not 0xeb9f");
}

/** Finds the offset of each type; checks that names begin within the string table. */
function scan(types: ByteCursor, stringSize: number, layout: ByteCursor | undefined): Uint32Array {
  const [once, each] = layout === undefined ? KNOWN_WORDS : extendWords(layout);
  const words = wordsOf(types.bytes, types.littleEndian ? "little" : "big");
  const end = words.length;
  // As many as there could be: the offsets take at most a third of the input, and are cut to size below.
  const offsets = new Uint32Array(Math.floor(end / TYPE_WORDS) + 1);
  let count = 1;
  let at = 0;
  while (at + TYPE_WORDS <= end) {
    const info = words[at + 1] as number;
    const kind = (info >>> 24) & 0x7f;
    const fixed = once[kind];
    if (kind === 0 || fixed === undefined) {
      throw types.malformed(`type ${count} is of the unknown kind ${kind}`, at * WORD);
    }
    if ((words[at] as number) >= stringSize) {
      throw types.malformed(`the name of type ${count} lies past the strings`, at * WORD);
    }
    offsets[count++] = at * WORD;
    // vlen had 16 bits, and the 8 above were zero, until Linux 7.1.
    at += TYPE_WORDS + fixed + (each[kind] as number) * (info & 0xff_ffff);
  }
  const size = types.bytes.length;
  if (at * WORD < size) types.require(at * WORD, TYPE_WORDS * WORD);
  if (at * WORD > size) {
    throw types.malformed(`type ${count - 1} ends past the types of ${size} bytes`, offsets[count - 1]);
  }
  return offsets.slice(0, count);
}

type KindWords = readonly [once: Uint8Array, each: Uint8Array];

/** Adds kinds that are not known here, by `struct btf_layout`: bytes once (u8), for each element (u8), flags (u16). */
function extendWords(layout: ByteCursor): KindWords {
  const count = Math.max(KNOWN_SIZES.length, Math.min(Math.floor(layout.bytes.length / LAYOUT_SIZE), 0x80));
  const once = new Uint8Array(count);
  const each = new Uint8Array(count);
  once.set(KNOWN_WORDS[0]);
  each.set(KNOWN_WORDS[1]);
  for (let kind = KNOWN_SIZES.length; kind < count; kind++) {
    const at = kind * LAYOUT_SIZE;
    const sizes = [layout.u8At(at), layout.u8At(at + 1)] as const;
    if (sizes[0] % WORD !== 0 || sizes[1] % WORD !== 0) {
      throw layout.malformed(`kind ${kind} takes ${sizes.join(" and ")} bytes, wanted multiples of ${WORD}`, at);
    }
    once[kind] = sizes[0] / WORD;
    each[kind] = sizes[1] / WORD;
  }
  return [once, each];
}
