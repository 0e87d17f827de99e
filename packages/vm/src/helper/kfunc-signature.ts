// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfKind, type BtfParameter, InvalidValueError } from "@skep/ebpf";
import type { HelperParameter, HelperResult } from "./helper.ts";

/** How a host function takes its arguments and what it leaves in r0. */
export interface Signature {
  readonly parameters: readonly HelperParameter[];
  readonly result: HelperResult;
}

/** Registers that carry arguments. */
const MOST_PARAMETERS = 5;

/** Structs of the UAPI that are contexts; pointers to them are `context`. */
const contexts: ReadonlySet<string> = new Set([
  "__sk_buff",
  "xdp_md",
  "bpf_sock_ops",
  "sk_msg_md",
  "bpf_sk_lookup",
  "sk_reuseport_md",
  "bpf_sock_addr",
  "bpf_sockopt",
  "bpf_sysctl",
  "bpf_cgroup_dev_ctx",
  "bpf_raw_tracepoint_args",
  "bpf_perf_event_data",
]);

/**
 * The signature of a host function that an object declares (`extern int f(const void *data, __u32 data__sz) __ksym`), from the
 * FUNC_PROTO of its BTF:
 *
 * - integers, enums and booleans up to 4 bytes are `u32` or `i32`, of 8 bytes `u64` or `i64`;
 * - a pointer that a parameter named `…__sz` or `…__szk` follows is memory of so many bytes, a pointer to something whose size is
 *   known memory of that size: read where it points to const, written elsewhere;
 * - pointers to the struct of a context are `context`, to a function `callback`, to `struct bpf_map` or named `…__map` `map`;
 * - any other pointer, and one to `char` named `…__str`, is an `address`. `…__nullable` and `…__opt` let it be null.
 *
 * These are the names that kfuncs of the kernel have (Documentation/bpf/kfuncs.rst). clang leaves names out of the BTF of an
 * extern, so that the host gives them: `names`. Throws InvalidValueError for what cannot be passed in registers.
 */
export function signatureOf(btf: Btf, protoId: number, name: string, names?: readonly string[]): Signature {
  const proto = btf.typeById(btf.resolve(protoId));
  if (proto.kind !== BtfKind.FUNC_PROTO)
    throw new InvalidValueError(`host function "${name}" is declared as no function`);
  const { parameters } = proto;
  if (names !== undefined && names.length !== parameters.length) {
    const given = `the host names ${names.length} parameters`;
    throw new InvalidValueError(`host function "${name}": ${given}, the object declares ${parameters.length}`);
  }
  if (parameters.length > MOST_PARAMETERS) {
    throw new InvalidValueError(
      `host function "${name}" has ${parameters.length} parameters, registers hold ${MOST_PARAMETERS}`,
    );
  }
  const named = parameters.map((parameter, i) => ({ ...parameter, name: names?.[i] ?? parameter.name }));
  const types = new SignatureTypes(btf, name);
  return {
    parameters: named.map((parameter, i) => types.parameter(parameter, i, named[i + 1])),
    result: types.result(proto.returns),
  };
}

class SignatureTypes {
  readonly #btf: Btf;
  readonly #function: string;

  constructor(btf: Btf, name: string) {
    this.#btf = btf;
    this.#function = name;
  }

  parameter(parameter: BtfParameter, index: number, next: BtfParameter | undefined): HelperParameter {
    const where = `parameter ${index + 1}${parameter.name === "" ? "" : `, "${parameter.name}",`}`;
    const type = this.#btf.typeById(this.#btf.resolve(parameter.type));
    const { name } = parameter;
    if (type.kind !== BtfKind.PTR) {
      const kind = this.#integer(parameter.type, where);
      // A size is never negative, whatever C calls it.
      return !isSize(name) ? kind : kind === "u64" || kind === "i64" ? "u64" : "u32";
    }
    const nullable = /__(nullable|opt)$/.test(name) && { nullable: true };
    const target = this.#btf.typeById(this.#btf.resolve(type.type));
    const readOnly = this.#pointsToConst(type.type);
    if (next !== undefined && isSize(next.name)) {
      return readOnly ? { readSized: index + 1, ...nullable } : { writeSized: index + 1, ...nullable };
    }
    if (target.kind === BtfKind.FUNC_PROTO) return "callback";
    if (name.endsWith("__map")) return "map";
    if (name.endsWith("__str")) return "address";
    switch (target.kind) {
      case BtfKind.STRUCT:
        if (contexts.has(target.name)) return "context";
        if (target.name === "bpf_map") return "map";
        break;
      case BtfKind.FWD:
        if (contexts.has(target.name)) return "context";
        return target.name === "bpf_map" ? "map" : "address";
      case BtfKind.VOID:
        return "address";
    }
    const size = this.#btf.sizeOf(type.type);
    if (size === 0) return "address";
    return readOnly ? { read: size, ...nullable } : { write: size, ...nullable };
  }

  result(typeId: number): HelperResult {
    const type = this.#btf.typeById(this.#btf.resolve(typeId));
    if (type.kind === BtfKind.VOID) return "void";
    return type.kind === BtfKind.PTR ? "address" : this.#integer(typeId, "the result");
  }

  #integer(typeId: number, where: string): "u32" | "i32" | "u64" | "i64" {
    const type = this.#btf.typeById(this.#btf.resolve(typeId));
    const scalar = type.kind === BtfKind.INT || type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64;
    if (!scalar || type.size > 8) {
      const wanted = "wanted is an integer of up to 8 bytes or a pointer";
      throw new InvalidValueError(`host function "${this.#function}": ${where} is of another kind; ${wanted}`);
    }
    if (type.size === 8) return type.signed ? "i64" : "u64";
    return type.signed ? "i32" : "u32";
  }

  /** Whether const stands before what the pointer leads to; `resolve` has been through these types already. */
  #pointsToConst(typeId: number): boolean {
    for (let id = typeId; ; ) {
      const type = this.#btf.typeById(id);
      switch (type.kind) {
        case BtfKind.CONST:
          return true;
        case BtfKind.TYPEDEF:
        case BtfKind.VOLATILE:
        case BtfKind.RESTRICT:
        case BtfKind.TYPE_TAG:
          id = type.type;
          break;
        default:
          return false;
      }
    }
  }
}

function isSize(name: string): boolean {
  return /__szk?$/.test(name);
}
