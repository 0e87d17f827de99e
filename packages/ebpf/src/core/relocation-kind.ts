// SPDX-License-Identifier: Apache-2.0

/** Kinds of CO-RE relocations, by the names and numbers of `enum bpf_core_relo_kind` (include/uapi/linux/bpf.h). */
export const CoreRelocationKind = {
  FIELD_BYTE_OFFSET: 0,
  FIELD_BYTE_SIZE: 1,
  FIELD_EXISTS: 2,
  FIELD_SIGNED: 3,
  FIELD_LSHIFT_U64: 4,
  FIELD_RSHIFT_U64: 5,
  TYPE_ID_LOCAL: 6,
  TYPE_ID_TARGET: 7,
  TYPE_EXISTS: 8,
  TYPE_SIZE: 9,
  ENUMVAL_EXISTS: 10,
  ENUMVAL_VALUE: 11,
  TYPE_MATCHES: 12,
} as const;

const names = [
  "byte offset",
  "byte size",
  "existence",
  "signedness",
  "left shift",
  "right shift",
  "local type id",
  "type id",
  "type existence",
  "type size",
  "value existence",
  "value",
  "type match",
];

/** What a kind asks for, in words. */
export function coreRelocationName(kind: number): string {
  return names[kind] ?? `kind ${kind}`;
}

/** Whether a kind is about a field, and its access string a path to it. */
export function isFieldRelocation(kind: number): boolean {
  return kind <= CoreRelocationKind.FIELD_RSHIFT_U64;
}

/** Whether a kind is about one value of an enum. */
export function isEnumRelocation(kind: number): boolean {
  return kind === CoreRelocationKind.ENUMVAL_EXISTS || kind === CoreRelocationKind.ENUMVAL_VALUE;
}
