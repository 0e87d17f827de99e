// SPDX-License-Identifier: Apache-2.0

import { BtfKind, type BtfType } from "./types.ts";

/** A type with every type id that it refers to replaced; the order in which they are asked for is fixed. */
export function mapReferences(type: BtfType, idOf: (id: number) => number): BtfType {
  switch (type.kind) {
    case BtfKind.PTR:
    case BtfKind.TYPEDEF:
    case BtfKind.VOLATILE:
    case BtfKind.CONST:
    case BtfKind.RESTRICT:
    case BtfKind.TYPE_TAG:
      return { ...type, type: idOf(type.type) };
    case BtfKind.FUNC:
      return { ...type, type: idOf(type.type) };
    case BtfKind.VAR:
      return { ...type, type: idOf(type.type) };
    case BtfKind.DECL_TAG:
      return { ...type, type: idOf(type.type) };
    case BtfKind.ARRAY:
      return { ...type, element: idOf(type.element), index: idOf(type.index) };
    case BtfKind.STRUCT:
    case BtfKind.UNION:
      return { ...type, members: type.members.map((member) => ({ ...member, type: idOf(member.type) })) };
    case BtfKind.FUNC_PROTO:
      return {
        ...type,
        returns: idOf(type.returns),
        parameters: type.parameters.map((parameter) => ({ ...parameter, type: idOf(parameter.type) })),
      };
    case BtfKind.DATASEC:
      return { ...type, variables: type.variables.map((variable) => ({ ...variable, type: idOf(variable.type) })) };
    default:
      return type;
  }
}
