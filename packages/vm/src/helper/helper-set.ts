// SPDX-License-Identifier: Apache-2.0

import { type Btf, InvalidValueError } from "@skep/ebpf";
import { VmFault } from "../vm-fault.ts";
import { FIRST_HOST_HELPER, type Helper, type HelperParameter, type HelperResult } from "./helper.ts";
import { helperRefusal } from "./helper-table.ts";
import { type Signature, signatureOf } from "./kfunc-signature.ts";

/**
 * A function of the host that programs may call: by number (`call imm`), from {@link FIRST_HOST_HELPER} on, or by name as they
 * call functions of the kernel (`extern int name(…) __ksym`), or both.
 */
export interface HostHelper {
  /** As C calls it. */
  readonly name: string;
  /** Absent: by name alone. */
  readonly id?: number;
  /** Absent: from the object's declaration, by its types and the endings of names (`__sz`). Wanted with a number. */
  readonly parameters?: readonly HelperParameter[];
  /** As `parameters`. */
  readonly result?: HelperResult;
  /** Names of the parameters, for the meaning that their suffixes have: clang leaves them out of an object. */
  readonly parameterNames?: readonly string[];
  readonly call: Helper["call"];
}

/** Registers that carry arguments. */
const MOST_PARAMETERS = 5;

/** The helpers of an engine in JavaScript: its own, which are the kernel's, and the host's. */
export class HelperSet {
  /** By number. */
  readonly helpers: ReadonlyMap<number, Helper>;
  readonly #named = new Map<string, HostHelper>();

  /** Throws InvalidValueError for a number or a name that is taken, and for a malformed signature. */
  constructor(standard: Iterable<Helper>, host: Iterable<HostHelper> = []) {
    const helpers = new Map<number, Helper>();
    for (const helper of standard) {
      refuseMalformed(helper);
      refuseTaken(helpers.get(helper.id), helper, `number ${helper.id}`);
      helpers.set(helper.id, helper);
    }
    for (const helper of host) {
      refuseTaken(this.#named.get(helper.name), helper, "its name");
      refuseMalformed(helper);
      this.#named.set(helper.name, helper);
      if (helper.id === undefined) continue;
      refuseTaken(helpers.get(helper.id), helper, `number ${helper.id}`);
      helpers.set(helper.id, numbered(helper, helper.id));
    }
    this.helpers = helpers;
  }

  /** The helper of a number; undefined when there is none. */
  byNumber(id: number): Helper | undefined {
    return this.helpers.get(id);
  }

  /** Names of the host's functions. */
  get names(): readonly string[] {
    return [...this.#named.keys()];
  }

  /**
   * A function of the host by name, with the signature that `protoId`, a FUNC_PROTO of the object's BTF, gives it where the host
   * gave none; undefined when the host has none. Throws InvalidValueError when the two do not go together.
   */
  byName(name: string, btf: Btf, protoId: number): Helper | undefined {
    const helper = this.#named.get(name);
    if (helper === undefined) return undefined;
    const { parameters, result } = helper;
    const declared = signatureOf(btf, protoId, name, helper.parameterNames);
    if (parameters !== undefined && parameters.length !== declared.parameters.length) {
      const found = `the object declares ${declared.parameters.length} parameters`;
      throw new InvalidValueError(`host function "${name}": ${found}, the host has ${parameters.length}`);
    }
    const signature: Signature = {
      parameters: parameters ?? declared.parameters,
      result: result ?? declared.result,
    };
    const resolved = { id: helper.id ?? 0, name, call: helper.call, ...signature };
    refuseMalformed(resolved);
    return resolved;
  }

  /**
   * What the validator asks: undefined when a program may call helper `id`, else why not. `elsewhere` knows those that are not
   * in JavaScript: maps', the translator's, the runtime's.
   */
  problem(id: number, elsewhere: (id: number) => boolean): string | undefined {
    return this.helpers.has(id) || elsewhere(id) ? undefined : helperRefusal(id);
  }
}

/** What stands for a weak function that the host does not have, in calls that are not to be reached. */
export function absentFunction(name: string): Helper {
  const call = () => {
    throw new VmFault("call", `called ${name}, which the host does not have`);
  };
  return { id: 0, name, parameters: [], result: "void", call };
}

function numbered(helper: HostHelper, id: number): Helper {
  const { name, parameters, result, call } = helper;
  if (!(Number.isInteger(id) && id >= FIRST_HOST_HELPER && id < 2 ** 31)) {
    throw new InvalidValueError(`host function "${name}" has number ${id}; wanted is one from ${FIRST_HOST_HELPER} on`);
  }
  if (parameters === undefined || result === undefined) {
    throw new InvalidValueError(`host function "${name}" has number ${id}, but no parameters or no result`);
  }
  return { id, name, parameters, result, call };
}

function refuseTaken(
  other: { readonly name: string } | undefined,
  { name }: { readonly name: string },
  what: string,
): void {
  if (other === undefined) return;
  throw new InvalidValueError(`helper "${name}": ${what} is taken${other.name === name ? "" : ` by "${other.name}"`}`);
}

function refuseMalformed({ name, parameters = [] }: Pick<HostHelper, "name" | "parameters">): void {
  const wrong = (problem: string) => new InvalidValueError(`helper "${name}": ${problem}`);
  if (!/^[A-Za-z_]\w*$/.test(name)) throw wrong("the name is no identifier of C");
  if (parameters.length > MOST_PARAMETERS) {
    throw wrong(`it has ${parameters.length} parameters, registers hold ${MOST_PARAMETERS}`);
  }
  for (const [i, parameter] of parameters.entries()) {
    if (typeof parameter === "string") continue;
    const size = "read" in parameter ? parameter.read : "write" in parameter ? parameter.write : undefined;
    if (size !== undefined) {
      if (!(Number.isInteger(size) && size > 0)) throw wrong(`parameter ${i + 1} is memory of ${size} bytes`);
      continue;
    }
    const sizedBy = "readSized" in parameter ? parameter.readSized : (parameter as { writeSized: number }).writeSized;
    const kind = parameters[sizedBy];
    if (kind !== "u32" && kind !== "u64") {
      const found = kind === undefined ? "which is not there" : "which is neither u32 nor u64";
      throw wrong(`the size of parameter ${i + 1} is parameter ${sizedBy + 1}, ${found}`);
    }
  }
}
