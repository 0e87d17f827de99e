// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "../errors.ts";
import type { BtfTable } from "./btf-table.ts";
import { refuseEndless } from "./refuse-endless.ts";
import {
  type BtfComposite,
  type BtfDataSection,
  type BtfEnum,
  type BtfEnumValue,
  type BtfFunctionProto,
  type BtfInt,
  BtfKind,
  type BtfMember,
  type BtfParameter,
  type BtfSectionVariable,
  type BtfType,
} from "./types.ts";

const LINKAGES = ["static", "global", "extern"] as const;
const ATTRIBUTE = { attribute: true } as const;
/** Where the words begin that a kind appends to `struct btf_type`, counted in words. */
const BODY = 3;

/**
 * Decodes one type of a table; the scan has made sure that all of it is there. Throws MalformedError when it
 * contradicts itself, such as a member that lies outside its struct.
 */
export function decodeType(btf: BtfTable, id: number): BtfType {
  const info = btf.wordOf(id, 1);
  const kind = (info >>> 24) & 0x7f;
  const flag = info >>> 31 === 1;
  const count = info & 0xff_ffff;
  const third = btf.wordOf(id, 2);
  const name = btf.strings.name(btf.wordOf(id, 0));
  switch (kind) {
    case BtfKind.INT:
      return decodeInt(btf, id, name, third);
    case BtfKind.PTR:
    case BtfKind.TYPEDEF:
    case BtfKind.VOLATILE:
    case BtfKind.CONST:
    case BtfKind.RESTRICT:
      return { kind, name, type: third };
    case BtfKind.TYPE_TAG:
      return { kind, name, type: third, ...(flag ? ATTRIBUTE : {}) };
    case BtfKind.ARRAY:
      return {
        kind,
        name: "",
        element: btf.wordOf(id, BODY),
        index: btf.wordOf(id, BODY + 1),
        length: btf.wordOf(id, BODY + 2),
      };
    case BtfKind.STRUCT:
    case BtfKind.UNION:
      return decodeComposite(btf, id, kind, name, third, count, flag);
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return decodeEnum(btf, id, kind, name, third, count, flag);
    case BtfKind.FWD:
      return { kind, name, union: flag };
    case BtfKind.FUNC:
      return { kind, name, type: third, linkage: linkageOf(btf, id, count) };
    case BtfKind.FUNC_PROTO:
      return decodePrototype(btf, id, third, count);
    case BtfKind.VAR:
      return { kind, name, type: third, linkage: linkageOf(btf, id, btf.wordOf(id, BODY)) };
    case BtfKind.DATASEC:
      return decodeDataSection(btf, id, name, third, count);
    case BtfKind.FLOAT:
      return { kind, name, size: third };
    case BtfKind.DECL_TAG:
      return { kind, name, type: third, component: btf.wordOf(id, BODY) | 0, ...(flag ? ATTRIBUTE : {}) };
    default:
      throw new NotSupportedError(`BTF kind ${kind}`);
  }
}

function linkageOf(btf: BtfTable, id: number, linkage: number): "static" | "global" | "extern" {
  const name = LINKAGES[linkage];
  if (name === undefined) throw btf.malformed(id, `linkage ${linkage} is none of 0 (static), 1 (global), 2 (extern)`);
  return name;
}

function decodeInt(btf: BtfTable, id: number, name: string, size: number): BtfInt {
  const encoding = btf.wordOf(id, BODY);
  const bits = encoding & 0xff;
  const bitOffset = (encoding >>> 16) & 0xff;
  const traits = (encoding >>> 24) & 0xf;
  if (size === 0 || size > 16) throw btf.malformed(id, `integer "${name}" of ${size} bytes, wanted 1 to 16`);
  if (bits + bitOffset > size * 8) {
    throw btf.malformed(id, `integer "${name}" has bits ${bitOffset} to ${bits + bitOffset} in ${size} bytes`);
  }
  return {
    kind: BtfKind.INT,
    name,
    size,
    bits,
    bitOffset,
    signed: (traits & 1) !== 0,
    char: (traits & 2) !== 0,
    bool: (traits & 4) !== 0,
  };
}

function decodeComposite(
  btf: BtfTable,
  id: number,
  kind: BtfComposite["kind"],
  name: string,
  size: number,
  count: number,
  flag: boolean,
): BtfComposite {
  const members: BtfMember[] = [];
  for (let word = BODY; word < BODY + count * 3; word += 3) {
    const memberName = btf.strings.name(btf.wordOf(id, word));
    const type = btf.wordOf(id, word + 1);
    const place = btf.wordOf(id, word + 2);
    // With the kind flag the upper 8 bits are the size of a bitfield.
    let bitOffset = flag ? place & 0xff_ffff : place;
    let bitSize = flag ? place >>> 24 : 0;
    if (bitSize === 0 && btf.kindOf(type) === BtfKind.INT) {
      // Before the flag (Linux 5.1) a bitfield was a member whose integer type has fewer bits than bytes.
      const encoding = btf.wordOf(type, BODY);
      const bits = encoding & 0xff;
      if (bits > 0 && bits < btf.wordOf(type, 2) * 8) {
        bitSize = bits;
        bitOffset += (encoding >>> 16) & 0xff;
      }
    }
    const end = bitOffset + (bitSize === 0 ? btf.sizeOf(type) * 8 : bitSize);
    if (end > size * 8) {
      throw btf.malformed(id, `member "${memberName}" of "${name}" ends at bit ${end}, the type has ${size * 8}`);
    }
    members.push({ name: memberName, type, bitOffset, bitSize });
  }
  refuseEndless(btf, id, btf.containment);
  return { kind, name, size, members };
}

function decodeEnum(
  btf: BtfTable,
  id: number,
  kind: BtfEnum["kind"],
  name: string,
  size: number,
  count: number,
  signed: boolean,
): BtfEnum {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    throw btf.malformed(id, `enum "${name}" of ${size} bytes, wanted 1, 2, 4 or 8`);
  }
  const values: BtfEnumValue[] = [];
  const step = kind === BtfKind.ENUM ? 2 : 3;
  for (let word = BODY; word < BODY + count * step; word += step) {
    const low = btf.wordOf(id, word + 1);
    let value: number | bigint;
    if (kind === BtfKind.ENUM) {
      value = signed ? low | 0 : low;
    } else {
      const high = btf.wordOf(id, word + 2);
      value = (signed ? high | 0 : high) * 2 ** 32 + low;
      if (!Number.isSafeInteger(value)) value = (BigInt(signed ? high | 0 : high) << 32n) | BigInt(low);
    }
    values.push({ name: btf.strings.name(btf.wordOf(id, word)), value });
  }
  return { kind, name, size, signed, values };
}

function decodePrototype(btf: BtfTable, id: number, returns: number, count: number): BtfFunctionProto {
  const parameters: BtfParameter[] = [];
  for (let word = BODY; word < BODY + count * 2; word += 2) {
    parameters.push({ name: btf.strings.name(btf.wordOf(id, word)), type: btf.wordOf(id, word + 1) });
  }
  return { kind: BtfKind.FUNC_PROTO, name: "", returns, parameters };
}

function decodeDataSection(btf: BtfTable, id: number, name: string, size: number, count: number): BtfDataSection {
  const variables: BtfSectionVariable[] = [];
  for (let word = BODY; word < BODY + count * 3; word += 3) {
    variables.push({
      type: btf.wordOf(id, word),
      offset: btf.wordOf(id, word + 1),
      size: btf.wordOf(id, word + 2),
    });
  }
  return { kind: BtfKind.DATASEC, name, size, variables };
}
