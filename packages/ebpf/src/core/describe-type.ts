// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind } from "../btf/types.ts";

/** As many types as are told of one: functions of functions of functions take no end. */
const MOST_TYPES = 64;

/** A type as a person would write it in a declaration: `const struct task_struct *`, `int`, `char[16]`. */
export function describeType(btf: Btf, id: number): string {
  let left = MOST_TYPES;
  const describe = (inner: number): string => (left-- > 0 ? describeOne(btf, inner, describe) : "…");
  return describe(id);
}

function describeOne(btf: Btf, id: number, inner: (id: number) => string): string {
  const type = btf.typeById(id);
  switch (type.kind) {
    case BtfKind.VOID:
      return "void";
    case BtfKind.PTR: {
      const pointee = inner(type.type);
      return pointee.endsWith("*") ? `${pointee}*` : `${pointee} *`;
    }
    case BtfKind.CONST:
      return `const ${inner(type.type)}`;
    case BtfKind.VOLATILE:
      return `volatile ${inner(type.type)}`;
    case BtfKind.RESTRICT:
    case BtfKind.TYPE_TAG:
      return inner(type.type);
    case BtfKind.ARRAY:
      return `${inner(type.element)}[${type.length}]`;
    case BtfKind.STRUCT:
      return `struct ${type.name || "{…}"}`;
    case BtfKind.UNION:
      return `union ${type.name || "{…}"}`;
    case BtfKind.ENUM:
    case BtfKind.ENUM64:
      return `enum ${type.name || "{…}"}`;
    case BtfKind.FWD:
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case BtfKind.FUNC_PROTO:
      return `${inner(type.returns)} (${type.parameters.map((parameter) => inner(parameter.type)).join(", ")})`;
    default:
      return type.name;
  }
}
