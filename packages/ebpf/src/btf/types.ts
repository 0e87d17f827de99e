// SPDX-License-Identifier: Apache-2.0

/** BTF kinds, by the numbers of include/uapi/linux/btf.h. */
export const BtfKind = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** `void`, type id 0. */
export interface BtfVoid {
  readonly kind: typeof BtfKind.VOID;
  readonly name: "";
}

/** An integer; `size` in bytes, `bits` and `bitOffset` differ from it only in old bitfields. */
export interface BtfInt {
  readonly kind: typeof BtfKind.INT;
  readonly name: string;
  readonly size: number;
  readonly bits: number;
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}

/** A pointer, const, volatile, restrict, typedef or type tag: something that stands before another type. */
export interface BtfReference {
  readonly kind:
    | typeof BtfKind.PTR
    | typeof BtfKind.TYPEDEF
    | typeof BtfKind.VOLATILE
    | typeof BtfKind.CONST
    | typeof BtfKind.RESTRICT
    | typeof BtfKind.TYPE_TAG;
  readonly name: string;
  readonly type: number;
  /**
   * On a type tag: its name is an attribute as C writes it, `address_space(1)`, and not the text of a
   * `btf_type_tag` (kind_flag, Linux 6.15).
   */
  readonly attribute?: true;
}

/** An array of `length` elements of type `element`. */
export interface BtfArray {
  readonly kind: typeof BtfKind.ARRAY;
  readonly name: "";
  readonly element: number;
  readonly index: number;
  readonly length: number;
}

/** A field of a struct or union. */
export interface BtfMember {
  /** Empty for anonymous structs and unions. */
  readonly name: string;
  readonly type: number;
  /** From the start of the struct, in bits. */
  readonly bitOffset: number;
  /** 0 when the member is not a bitfield. */
  readonly bitSize: number;
}

/** A struct or union; `size` in bytes. */
export interface BtfComposite {
  readonly kind: typeof BtfKind.STRUCT | typeof BtfKind.UNION;
  readonly name: string;
  readonly size: number;
  readonly members: readonly BtfMember[];
}

/** One name of an enum. Values of ENUM64 that a number cannot hold exactly are bigint. */
export interface BtfEnumValue {
  readonly name: string;
  readonly value: number | bigint;
}

/** An enum or enum64; `size` in bytes. */
export interface BtfEnum {
  readonly kind: typeof BtfKind.ENUM | typeof BtfKind.ENUM64;
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly BtfEnumValue[];
}

/** A declaration without a body. */
export interface BtfForward {
  readonly kind: typeof BtfKind.FWD;
  readonly name: string;
  readonly union: boolean;
}

/** A function; `type` is its FUNC_PROTO. */
export interface BtfFunction {
  readonly kind: typeof BtfKind.FUNC;
  readonly name: string;
  readonly type: number;
  readonly linkage: "static" | "global" | "extern";
}

/** A parameter; name and type 0 stand for `...`. */
export interface BtfParameter {
  readonly name: string;
  readonly type: number;
}

/** A function's signature. */
export interface BtfFunctionProto {
  readonly kind: typeof BtfKind.FUNC_PROTO;
  readonly name: "";
  readonly returns: number;
  readonly parameters: readonly BtfParameter[];
}

/** A global variable. */
export interface BtfVariable {
  readonly kind: typeof BtfKind.VAR;
  readonly name: string;
  readonly type: number;
  readonly linkage: "static" | "global" | "extern";
}

/** A variable's place in a section; offsets and sizes may be 0 until the object's symbols fill them in. */
export interface BtfSectionVariable {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** A data section; `name` is the section's, such as `.bss`. */
export interface BtfDataSection {
  readonly kind: typeof BtfKind.DATASEC;
  readonly name: string;
  readonly size: number;
  readonly variables: readonly BtfSectionVariable[];
}

/** A floating-point type; `size` in bytes. */
export interface BtfFloat {
  readonly kind: typeof BtfKind.FLOAT;
  readonly name: string;
  readonly size: number;
}

/** `btf_decl_tag` on a type, or on its member or parameter `component` (-1: the type itself). */
export interface BtfDeclTag {
  readonly kind: typeof BtfKind.DECL_TAG;
  readonly name: string;
  readonly type: number;
  readonly component: number;
  /** Its name is an attribute as C writes it, and not the text of a `btf_decl_tag` (kind_flag, Linux 6.15). */
  readonly attribute?: true;
}

/** Any type. Type ids in it refer to the {@link Btf} that it came from. */
export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfReference
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfForward
  | BtfFunction
  | BtfFunctionProto
  | BtfVariable
  | BtfDataSection
  | BtfFloat
  | BtfDeclTag;
