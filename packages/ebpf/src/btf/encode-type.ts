// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";
import { type BtfComposite, type BtfEnum, type BtfInt, BtfKind, type BtfType } from "./types.ts";

/** `vlen` has 16 bits in every kernel before Linux 7.1. */
const MAXIMUM_COUNT = 0xffff;
const LINKAGE: Readonly<Record<"static" | "global" | "extern", number>> = { static: 0, global: 1, extern: 2 };

/**
 * The words of one type, as `struct btf_type` and what follows it (include/uapi/linux/btf.h). `nameOf` gives the
 * offset of a string. Throws InvalidValueError for what the format cannot hold.
 */
export function encodeType(type: BtfType, nameOf: (text: string) => number): number[] {
  const head = (third: number, count = 0, flag = false): number[] => {
    if (count > MAXIMUM_COUNT)
      throw new InvalidValueError(`type "${type.name}" has ${count} parts, wanted ${MAXIMUM_COUNT} at most`);
    return [nameOf(type.name), ((flag ? 0x8000_0000 : 0) | (type.kind << 24) | count) >>> 0, third];
  };
  switch (type.kind) {
    case BtfKind.VOID:
      throw new InvalidValueError("void is type 0 of every table and cannot be added");
    case BtfKind.INT:
      return [...head(type.size), encoding(type)];
    case BtfKind.PTR:
    case BtfKind.TYPEDEF:
    case BtfKind.VOLATILE:
    case BtfKind.CONST:
    case BtfKind.RESTRICT:
      return head(type.type);
    case BtfKind.TYPE_TAG:
      return head(type.type, 0, type.attribute);
    case BtfKind.ARRAY:
      return [...head(0), type.element, type.index, type.length];
    case BtfKind.STRUCT:
    case BtfKind.UNION:
      return encodeComposite(type, head, nameOf);
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return encodeEnum(type, head, nameOf);
    case BtfKind.FWD:
      return head(0, 0, type.union);
    case BtfKind.FUNC:
      return head(type.type, LINKAGE[type.linkage]);
    case BtfKind.FUNC_PROTO:
      return [
        ...head(type.returns, type.parameters.length),
        ...type.parameters.flatMap((parameter) => [nameOf(parameter.name), parameter.type]),
      ];
    case BtfKind.VAR:
      return [...head(type.type), LINKAGE[type.linkage]];
    case BtfKind.DATASEC:
      return [
        ...head(type.size, type.variables.length),
        ...type.variables.flatMap((variable) => [variable.type, variable.offset, variable.size]),
      ];
    case BtfKind.FLOAT:
      return head(type.size);
    case BtfKind.DECL_TAG:
      return [...head(type.type, 0, type.attribute), type.component >>> 0];
  }
}

type Head = (third: number, count?: number, flag?: boolean) => number[];

function encoding(type: BtfInt): number {
  return (
    (((type.signed ? 1 : 0) | (type.char ? 2 : 0) | (type.bool ? 4 : 0)) << 24) | (type.bitOffset << 16) | type.bits
  );
}

/** With a bitfield among them, the places of all members hold their bits in the upper byte (kind_flag, Linux 5.1). */
function encodeComposite(type: BtfComposite, head: Head, nameOf: (text: string) => number): number[] {
  const bitfields = type.members.some(({ bitSize }) => bitSize > 0);
  const members = type.members.flatMap(({ name, type: member, bitOffset, bitSize }) => {
    if (bitfields && (bitOffset > 0xff_ffff || bitSize > 0xff)) {
      throw new InvalidValueError(`member "${name}" of "${type.name}": bit ${bitOffset} does not fit beside bitfields`);
    }
    return [nameOf(name), member, bitfields ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset];
  });
  return [...head(type.size, type.members.length, bitfields), ...members];
}

function encodeEnum(type: BtfEnum, head: Head, nameOf: (text: string) => number): number[] {
  const values = type.values.flatMap(({ name, value }) => {
    const bits = BigInt.asUintN(64, BigInt(value));
    const low = Number(bits & 0xffff_ffffn);
    return type.kind === BtfKind.ENUM ? [nameOf(name), low] : [nameOf(name), low, Number(bits >> 32n)];
  });
  return [...head(type.size, type.values.length, type.signed), ...values];
}
