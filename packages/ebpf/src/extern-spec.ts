// SPDX-License-Identifier: Apache-2.0

/**
 * What the external symbol of an object is: memory of the kernel without a type (`extern const void x __ksym`), a
 * variable that the kernel's BTF describes, or a function of the kernel (kfunc).
 */
export type ExternKind = "untyped variable" | "typed variable" | "function";

/** A symbol of the kernel that an object refers to (`__ksym`). The engine looks it up when a program is loaded. */
export interface ExternSpec {
  /** As the object calls it; for typed variables and functions what follows `___` does not count. */
  readonly name: string;
  readonly kind: ExternKind;
  /** In the object's BTF: a variable's type, a function's FUNC_PROTO; 0 for an untyped variable. */
  readonly typeId: number;
  /** Whether the object can do without it: its address is 0 then, and calls of it must not be reached. */
  readonly weak: boolean;
}
