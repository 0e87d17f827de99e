// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfComposite, BtfKind, type BtfMember } from "../btf/types.ts";
import type { ElfFile, ElfSection } from "../elf/elf-file.ts";
import { SymbolType } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { MapType, mapTypeName } from "../map-type.ts";
import { readMapContents } from "./map-contents.ts";
import type { ObjectTypes } from "./object-types.ts";

/** Map fields that are numbers: a pointer to an array of that many elements (`__uint` of bpf_helpers.h). */
const NUMBER_FIELDS = new Set(["type", "map_flags", "max_entries", "key_size", "value_size", "pinning", "map_extra"]);
const LIBBPF_PIN_BY_NAME = 1;
/** The kernel's own bounds; larger ones are refused at creation with a bare E2BIG. */
const MAXIMUM_SIZE = 0x7fff_ffff;

/**
 * Reads the maps that the section `.maps` declares: structs whose members say in their types what the map is
 * like (`__uint(type, …)`, `__type(key, …)`). The result is by byte offset in the section.
 *
 * Throws MalformedError for an unknown or contradictory field, and for contents that are not of the map's kind.
 */
export function readBtfMaps(elf: ElfFile, section: ElfSection, types: ObjectTypes | undefined): Map<number, MapSpec> {
  if (types === undefined) {
    throw new MalformedError(
      ".maps",
      undefined,
      "the maps are described in BTF, and the object has none (compile with -g)",
    );
  }
  const maps = new Map<number, MapSpec>();
  const valuesAt = new Map<number, number>();
  const names = new Set<string>();
  for (const symbol of elf.symbols) {
    if (symbol.section !== section.index || symbol.type !== SymbolType.OBJECT) continue;
    if (maps.has(symbol.value) || names.has(symbol.name)) {
      throw new MalformedError(".maps", symbol.value, `map "${symbol.name}" is declared twice`);
    }
    names.add(symbol.name);
    const definition = definitionOf(types, symbol.name);
    maps.set(symbol.value, readMap(types.btf, symbol.name, definition, false));
    const values = definition.members.find(({ name }) => name === "values");
    if (values !== undefined) valuesAt.set(symbol.value, values.bitOffset / 8);
  }
  for (const [offset, contents] of readMapContents(elf, section, maps, valuesAt)) {
    maps.set(offset, { ...(maps.get(offset) as MapSpec), contents });
  }
  return maps;
}

function definitionOf({ btf, variables }: ObjectTypes, name: string): BtfComposite {
  const variable = variables.get(name);
  if (variable === undefined) throw new MalformedError(".maps", undefined, `BTF does not describe map "${name}"`);
  const type = btf.typeById(btf.resolve(variable.type));
  if (type.kind === BtfKind.STRUCT) return type;
  throw new MalformedError(".maps", undefined, `map "${name}" is not declared by a struct`);
}

/** `held`: it is the pattern for the maps that another one holds. */
function readMap(btf: Btf, name: string, definition: BtfComposite, held: boolean): MapSpec {
  const numbers = new Map<string, number>();
  let extra = 0n;
  let keyTypeId = 0;
  let valueTypeId = 0;
  let values: BtfMember | undefined;
  const fail = (message: string): MalformedError => new MalformedError(".maps", undefined, `map "${name}": ${message}`);

  const seen = new Set<string>();
  for (const member of definition.members) {
    if (seen.has(member.name)) throw fail(`field "${member.name}" is given twice`);
    seen.add(member.name);
    if (NUMBER_FIELDS.has(member.name)) {
      const number = numberField(btf, name, member);
      if (member.name === "map_extra") extra = number;
      else if (number > 0xffff_ffffn) throw fail(`"${member.name}" is ${number}, more than 32 bits`);
      else numbers.set(member.name, Number(number));
    } else if (member.name === "key") {
      keyTypeId = pointee(btf, name, member);
    } else if (member.name === "value") {
      valueTypeId = pointee(btf, name, member);
    } else if (member.name === "values") {
      if (held) throw fail("a map that is held by another cannot hold maps or programs itself");
      values = member;
    } else {
      throw fail(`unknown field "${member.name}"`);
    }
  }

  const type = numbers.get("type");
  if (type === undefined || type === 0) throw fail('field "type" is missing');
  const pinning = numbers.get("pinning") ?? 0;
  if (pinning > LIBBPF_PIN_BY_NAME) throw fail(`pinning ${pinning} is neither 0 (none) nor 1 (by name)`);
  const sizeOf = (field: string, typeId: number): number => {
    const given = numbers.get(field);
    const described = typeId === 0 ? undefined : btf.sizeOf(typeId);
    if (given !== undefined && described !== undefined && given !== described) {
      throw fail(`"${field}" is ${given}, the type has ${described} bytes`);
    }
    const size = given ?? described ?? 0;
    if (size > MAXIMUM_SIZE) throw fail(`"${field}" is ${size}, the kernel takes at most ${MAXIMUM_SIZE}`);
    return size;
  };

  const spec: MapSpec = {
    name,
    type,
    keySize: sizeOf("key_size", keyTypeId),
    valueSize: sizeOf("value_size", valueTypeId),
    maxEntries: numbers.get("max_entries") ?? 0,
    flags: numbers.get("map_flags") ?? 0,
    extra,
    pinning: pinning === LIBBPF_PIN_BY_NAME ? "by-name" : "none",
    keyTypeId,
    valueTypeId,
  };
  if (values !== undefined || isMapOfMaps(type)) {
    if (!isMapOfMaps(type) && type !== MapType.PROG_ARRAY) {
      throw fail(`a map of type ${mapTypeName(type)} holds neither maps nor programs, and has "values"`);
    }
    // Descriptors, whatever the object says; it often says nothing.
    spec.valueSize = 4;
    if (spec.keySize === 0) spec.keySize = 4;
    const inner = values === undefined ? undefined : heldType(btf, values, type, fail);
    if (inner !== undefined) return { ...spec, inner: readMap(btf, `${name}.inner`, inner, true) };
  }
  // The type of a stream's value describes its records; the kernel has fixed sizes for these maps.
  if (type === MapType.RINGBUF || type === MapType.USER_RINGBUF) {
    spec.keySize = 0;
    spec.valueSize = 0;
  } else if (type === MapType.PERF_EVENT_ARRAY) {
    spec.keySize = 4;
    spec.valueSize = 4;
  }
  return spec;
}

function isMapOfMaps(type: MapType): boolean {
  return type === MapType.ARRAY_OF_MAPS || type === MapType.HASH_OF_MAPS;
}

/** `__array(values, …)`: an array of pointers, to the struct of a map or to functions. Gives the struct. */
function heldType(
  btf: Btf,
  values: BtfMember,
  type: MapType,
  fail: (message: string) => MalformedError,
): BtfComposite | undefined {
  const array = btf.typeById(btf.resolve(values.type));
  const pointer = array.kind === BtfKind.ARRAY ? btf.typeById(btf.resolve(array.element)) : array;
  if (pointer.kind !== BtfKind.PTR) throw fail('"values" is not made by __array');
  const held = btf.typeById(btf.resolve(pointer.type));
  if (type === MapType.PROG_ARRAY) {
    if (held.kind === BtfKind.FUNC_PROTO) return undefined;
    throw fail('"values" of an array of programs are functions');
  }
  if (held.kind === BtfKind.STRUCT) return held;
  throw fail('"values" of a map of maps are the structs of maps');
}

function pointee(btf: Btf, map: string, member: BtfMember): number {
  const type = btf.typeById(btf.resolve(member.type));
  if (type.kind !== BtfKind.PTR) {
    throw new MalformedError(".maps", undefined, `map "${map}": field "${member.name}" is not a pointer`);
  }
  return type.type;
}

/** `__uint(name, n)`: a pointer to an array of n elements. `__ulong(name, n)`: an enum with the one value n. */
function numberField(btf: Btf, map: string, member: BtfMember): bigint {
  const type = btf.typeById(btf.resolve(member.type));
  if (type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64) {
    const value = type.values[0]?.value;
    if (value !== undefined && type.values.length === 1) return BigInt.asUintN(64, BigInt(value));
  }
  const array = type.kind === BtfKind.PTR ? btf.typeById(btf.resolve(type.type)) : type;
  if (type.kind !== BtfKind.PTR || array.kind !== BtfKind.ARRAY) {
    throw new MalformedError(".maps", undefined, `map "${map}": field "${member.name}" is not made by __uint`);
  }
  return BigInt(array.length);
}
