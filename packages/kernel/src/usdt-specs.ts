// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError } from "@skep/ebpf";
import type { KernelMap } from "./kernel-map.ts";
import type { UsdtArgument } from "./usdt-arguments.ts";

/** The maps of `skep/usdt.bpf.h` and of libbpf's `bpf/usdt.bpf.h`, by the names that both give them. */
export const USDT_SPECS = "__bpf_usdt_specs";
/** From an instruction's address to the id of its spec: what programs use on kernels without cookies. */
export const USDT_ADDRESSES = "__bpf_usdt_ip_to_spec_id";

/** `struct __bpf_usdt_arg_spec`. Headers differ in where the fields lie; the map's BTF tells. */
interface ArgumentValue {
  val_off: bigint;
  arg_type: number | string;
  reg_off: number;
  arg_signed: boolean;
  arg_bitshift: number;
  /** Only headers that know of an index have these two (libbpf 1.7). */
  idx_reg_off?: number;
  scale_bitshift?: number;
}

/** `struct __bpf_usdt_spec`. */
interface SpecValue {
  readonly args: readonly ArgumentValue[];
  usdt_cookie: bigint;
  arg_cnt: number;
}

/** `enum __bpf_usdt_arg_type`, and the form with an index, which is 3 in every header that has it. */
const ARGUMENT_TYPES = { constant: 0, register: 1, memory: 2 } as const;
const INDEXED_MEMORY = 3;

/**
 * What the programs of an object know of USDT arguments: each distinct list of arguments, with its cookie, has an
 * element of the map, and a site's program finds it by the cookie of its link.
 */
export class UsdtSpecs {
  readonly #specs: KernelMap;
  readonly #addresses: KernelMap | undefined;
  readonly #held = new Map<string, { readonly id: number; users: number }>();
  readonly #free: number[] = [];
  #next = 0;

  constructor(specs: KernelMap, addresses: KernelMap | undefined) {
    this.#specs = specs;
    this.#addresses = addresses;
  }

  /**
   * Puts a list of arguments into the map, or finds the one that is like it; the release is among `resources`. Throws
   * InvalidValueError when the map is full, or holds fewer arguments.
   */
  acquire(args: readonly UsdtArgument[], cookie: bigint, object: string, resources: DisposableStack): number {
    const key = `${cookie} ${args.map((each) => Object.values(each).join()).join(" ")}`;
    let held = this.#held.get(key);
    if (held === undefined) {
      const { maxEntries } = this.#specs.spec;
      // A link that was pinned outlives its release: what was given back longest ago is taken, and that last.
      const id = this.#next < maxEntries ? this.#next : this.#free[0];
      if (id === undefined) {
        throw new InvalidValueError(
          `${object}: map "${USDT_SPECS}" is full with ${maxEntries} lists of arguments; define BPF_USDT_MAX_SPEC_CNT higher before the header is included`,
        );
      }
      this.#write(id, args, cookie, object);
      if (id === this.#next) this.#next++;
      else this.#free.shift();
      held = { id, users: 0 };
      this.#held.set(key, held);
    }
    held.users++;
    const { id } = held;
    resources.defer(() => this.#release(key));
    return id;
  }

  /** Says which list belongs to an instruction of a process, for kernels without cookies. */
  place(address: bigint, id: number, object: string, resources: DisposableStack): void {
    const addresses = this.#addresses;
    if (addresses === undefined) throw new InvalidValueError(`${object}: the object has no map "${USDT_ADDRESSES}"`);
    addresses.update(address, id);
    resources.defer(() => {
      try {
        addresses.delete(address);
      } catch (error) {
        // The map went with its collection, and the element with it.
        if (!(error instanceof ClosedError)) throw error;
      }
    });
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined || --held.users > 0) return;
    this.#held.delete(key);
    this.#free.push(held.id);
  }

  #write(id: number, args: readonly UsdtArgument[], cookie: bigint, object: string): void {
    // Read first: it has every field that this object's header knows.
    const value = this.#specs.lookup(id) as SpecValue;
    if (!Array.isArray(value.args) || value.args.length === 0) {
      throw new InvalidValueError(`${object}: map "${USDT_SPECS}" has no BTF that describes its values`);
    }
    if (args.length > value.args.length) {
      throw new InvalidValueError(
        `${object}: the probe has ${args.length} arguments, map "${USDT_SPECS}" holds ${value.args.length}`,
      );
    }
    for (const [index, argument] of args.entries()) fill(value.args[index] as ArgumentValue, argument);
    value.usdt_cookie = cookie;
    value.arg_cnt = args.length;
    this.#specs.update(id, value);
  }
}

function fill(value: ArgumentValue, argument: UsdtArgument): void {
  const { kind, size, signed } = argument;
  const indexed = kind === "memory" && argument.index !== undefined;
  // A header without the index knows no such type, so that its programs get -EINVAL for this argument.
  value.arg_type = indexed ? INDEXED_MEMORY : ARGUMENT_TYPES[kind];
  value.val_off = BigInt.asUintN(64, kind === "constant" ? argument.value : kind === "memory" ? argument.offset : 0n);
  value.reg_off = kind === "constant" ? 0 : argument.register;
  value.arg_signed = signed;
  value.arg_bitshift = 64 - 8 * size;
  if (value.idx_reg_off === undefined) return;
  value.idx_reg_off = indexed ? (argument.index ?? 0) : 0;
  value.scale_bitshift = indexed ? (argument.shift ?? 0) : 0;
}
