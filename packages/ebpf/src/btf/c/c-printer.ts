// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { BtfKind, type BtfType } from "../types.ts";
import { CDeclarations, MAXIMUM_NESTING } from "./c-declaration.ts";
import { CLayouts } from "./c-layout.ts";
import { CNames, tagOf } from "./c-names.ts";

const enum_ = (type: BtfType): boolean => type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64;

/**
 * Puts definitions in an order that C accepts: what a type holds by value comes before it, what it only points
 * to is declared. Otherwise the order is that of the ids.
 */
export class CPrinter {
  readonly #btf: Btf;
  readonly #names: CNames;
  readonly #declarations: CDeclarations;
  readonly #output: string[] = [];
  readonly #defined = new Set<number>();
  readonly #underWay = new Set<number>();
  /** Types whose needs are met: as far as they must be named (even) or held (odd), `id * 2` and that bit. */
  readonly #met = new Set<number>();
  /** Tags of structs and unions that have been declared or defined. */
  readonly #declaredTags = new Set<string>();
  #depth = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#names = new CNames(btf);
    this.#declarations = new CDeclarations(btf, this.#names, new CLayouts(btf));
  }

  /** What has been printed so far. */
  get text(): string {
    return this.#output.join("");
  }

  /** Prints a struct, union, enum or typedef with all that it needs, unless it has been. */
  print(id: number): void {
    const type = this.#btf.typeById(id);
    if (enum_(type) && type.name === "") this.#anonymousEnum(id);
    else this.#require(id, true);
  }

  /** Prints the prototype of a function, after the types that it needs; `suffix` comes before the semicolon. */
  printFunction(id: number, suffix: string): void {
    const type = this.#btf.typeById(id);
    if (type.kind !== BtfKind.FUNC) {
      throw new MalformedError("BTF types", undefined, `type ${id} is not a function`);
    }
    this.#require(type.type, false);
    this.#output.push(
      `extern ${this.#declarations.declare(type.type, type.name)}${suffix}${this.#declarations.attributes(id)};\n`,
    );
  }

  /** `complete`: the type is held by value. Otherwise it is enough that it can be named. */
  #require(id: number, complete: boolean): void {
    const need = id * 2 + (complete ? 1 : 0);
    if (id === 0 || this.#met.has(need)) return;
    if (++this.#depth > MAXIMUM_NESTING) {
      throw new MalformedError("BTF types", undefined, `type ${id}: types nest more than ${MAXIMUM_NESTING} deep`);
    }
    this.#requireType(id, this.#btf.typeById(id), complete);
    this.#met.add(need);
    this.#depth--;
  }

  #requireType(id: number, type: BtfType, complete: boolean): void {
    switch (type.kind) {
      case BtfKind.PTR:
        this.#require(type.type, false);
        break;
      case BtfKind.CONST:
      case BtfKind.VOLATILE:
      case BtfKind.RESTRICT:
      case BtfKind.TYPE_TAG:
        this.#require(type.type, complete);
        break;
      case BtfKind.ARRAY:
        // An array of something incomplete cannot even be pointed to.
        this.#require(type.element, true);
        break;
      case BtfKind.FUNC_PROTO:
        this.#require(type.returns, false);
        for (const parameter of type.parameters) this.#require(parameter.type, false);
        break;
      case BtfKind.FWD:
        this.#declareTag(id, type);
        break;
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        if (type.name !== "" && type.values.length > 0) {
          this.#once(id, () => `enum ${this.#names.typeName(id)} ${this.#declarations.enumeration(id, type)}`);
        }
        break;
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        if (type.name === "") {
          for (const member of type.members) this.#require(member.type, true);
        } else if (complete) {
          this.#define(id, () => {
            for (const member of type.members) this.#requireMember(member.type, member.name);
            const tag = `${tagOf(type)} ${this.#names.typeName(id)}`;
            this.#declaredTags.add(tag);
            return `${tag} ${this.#declarations.composite(id, type)}`;
          });
        } else {
          this.#declareTag(id, type);
        }
        break;
      case BtfKind.TYPEDEF:
        if (complete) this.#require(type.type, true);
        this.#define(id, () => {
          if (!complete) this.#require(type.type, false);
          const declaration = this.#declarations.declare(type.type, this.#names.typeName(id) ?? "");
          return `typedef ${declaration}${this.#declarations.attributes(id)}`;
        });
        break;
      default:
        break;
    }
  }

  /** The body of a named struct stands in place of an anonymous member, so its members are needed, not itself. */
  #requireMember(id: number, name: string): void {
    const type = this.#btf.typeById(this.#btf.resolve(id));
    if (name === "" && "members" in type) {
      for (const member of type.members) this.#requireMember(member.type, member.name);
    } else {
      this.#require(id, true);
    }
  }

  #declareTag(id: number, type: BtfType): void {
    const tag = `${tagOf(type)} ${this.#names.typeName(id)}`;
    if (this.#declaredTags.has(tag)) return;
    this.#declaredTags.add(tag);
    this.#output.push(`${tag};\n\n`);
  }

  /** Runs `write` once for a type, refusing to begin again while it is under way. */
  #define(id: number, write: () => string): void {
    if (this.#defined.has(id)) return;
    if (this.#underWay.has(id)) throw new MalformedError("BTF types", undefined, `type ${id} needs itself`);
    this.#underWay.add(id);
    this.#once(id, write);
    this.#underWay.delete(id);
  }

  #once(id: number, write: () => string): void {
    if (this.#defined.has(id)) return;
    this.#push(id, write());
    this.#defined.add(id);
  }

  #anonymousEnum(id: number): void {
    const type = this.#btf.typeById(id);
    if (!("values" in type) || type.values.length === 0 || this.#declarations.isWritten(id)) return;
    this.#push(id, `enum ${this.#declarations.enumeration(id, type)}`);
  }

  /** C23 made keywords of `true`, `false` and `bool`, which the kernel defines for older C. */
  #push(id: number, definition: string): void {
    const type = this.#btf.typeById(id);
    const keyword =
      type.name === "bool" || ("values" in type && type.values.some(({ name }) => name === "true" || name === "false"));
    this.#output.push(
      keyword
        ? `#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L\n${definition};\n#endif\n\n`
        : `${definition};\n\n`,
    );
  }
}
