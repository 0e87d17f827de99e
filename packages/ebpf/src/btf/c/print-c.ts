// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf.ts";
import { knownTypes } from "../known-types.ts";
import { BtfKind } from "../types.ts";
import { CPrinter } from "./c-printer.ts";

/** What to print, and around it what. */
export interface PrintCOptions {
  /** Ids of the types to print with all that they need; all types unless given. */
  readonly types?: Iterable<number>;
}

/**
 * Types as C that compiles to the same layouts with clang for BPF, and with compilers for x86-64: padding is
 * unnamed bitfields, structs that no rule of C lays out so are `packed`. Equal BTF gives equal text.
 *
 * Types of kinds newer than ENUM64 are left out. Types of equal name are told apart as flavours, `name___2`. Throws
 * MalformedError for BTF that contradicts itself.
 */
export function printC(btf: Btf, options: PrintCOptions = {}): string {
  const printer = new CPrinter(btf);
  if (options.types !== undefined) {
    for (const id of options.types) printer.print(id);
  } else {
    printAll(btf, printer);
  }
  return printer.text;
}

/**
 * A kernel's types as the header that BPF programs include in place of the kernel's own, `vmlinux.h`: guarded,
 * every struct marked for CO-RE (`preserve_access_index`) unless BPF_NO_PRESERVE_ACCESS_INDEX is defined, and the
 * kernel functions that programs may call declared weak, unless BPF_NO_KFUNC_PROTOTYPES is.
 */
export function vmlinuxHeader(btf: Btf): string {
  const printer = new CPrinter(btf);
  printAll(btf, printer);
  const types = printer.text;
  for (const id of kernelFunctions(btf)) printer.printFunction(id, " __weak __ksym");
  const functions = printer.text.slice(types.length);
  return `${HEADER}${types}${PRESERVE_END}${functions === "" ? "" : `${FUNCTIONS}${functions}#endif\n\n`}#endif\n`;
}

function printAll(btf: Btf, printer: CPrinter): void {
  // Those within structs and typedefs are written there; their values may be there only once.
  const held = heldAnonymousTypes(btf);
  for (const [id, type] of knownTypes(btf)) {
    switch (type.kind) {
      case BtfKind.STRUCT:
      case BtfKind.UNION:
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        if (type.name !== "" || ("values" in type && held[id] === 0)) printer.print(id);
        break;
      case BtfKind.TYPEDEF:
        printer.print(id);
        break;
      default:
        break;
    }
  }
}

/** A byte for each type: whether a struct, union or typedef that is printed holds it, so that it is written there. */
function heldAnonymousTypes(btf: Btf): Uint8Array {
  const held = new Uint8Array(btf.typeCount);
  for (const [, type] of knownTypes(btf)) {
    if ("members" in type) for (const member of type.members) mark(btf, member.type, held);
    else if (type.kind === BtfKind.TYPEDEF) mark(btf, type.type, held);
  }
  return held;
}

function mark(btf: Btf, id: number, held: Uint8Array): void {
  let current = id;
  // Every round goes one step down, and ends at a type that is no wrapper or was marked before.
  while (current !== 0 && held[current] === 0) {
    held[current] = 1;
    const type = btf.typeById(current);
    switch (type.kind) {
      case BtfKind.PTR:
      case BtfKind.CONST:
      case BtfKind.VOLATILE:
      case BtfKind.RESTRICT:
      case BtfKind.TYPE_TAG:
        current = type.type;
        break;
      case BtfKind.ARRAY:
        current = type.element;
        break;
      default:
        return;
    }
  }
}

function kernelFunctions(btf: Btf): number[] {
  const functions = new Set<number>();
  for (const tag of btf.idsByName("bpf_kfunc")) {
    const type = btf.typeById(tag);
    if (type.kind === BtfKind.DECL_TAG && type.component === -1) functions.add(type.type);
  }
  const names = new Set<string>();
  return [...functions]
    .sort((a, b) => a - b)
    .filter((id) => {
      const type = btf.typeById(id);
      if (type.kind !== BtfKind.FUNC || names.has(type.name)) return false;
      names.add(type.name);
      return true;
    });
}

const HEADER = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;

const PRESERVE_END = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

`;

const FUNCTIONS = `#ifndef BPF_NO_KFUNC_PROTOTYPES
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif

`;
