// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { SkepError } from "@skep/ebpf";

const path = "/proc/kallsyms";

/** What a process sees that may not know addresses (kernel.kptr_restrict). */
const hidden = /^0+ \w _stext$/m;

/** Symbols of the kernel itself stay where they are; those of modules come and go. */
const known = new Map<string, bigint>();

/**
 * The symbols of the kernel and of its modules, from /proc/kallsyms (CONFIG_KALLSYMS_ALL for variables). The list is read
 * when the first symbol is asked for that is not known.
 */
export class KernelSymbols {
  #text: string | undefined;

  /**
   * Where a symbol is; undefined when there is none of this name. Throws SkepError `ERR_HIDDEN_ADDRESS` when the kernel
   * shows zeros instead, and `ERR_AMBIGUOUS` when several have the name.
   */
  addressOf(name: string): bigint | undefined {
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = addressIn(this.#read(), name);
    if (found === undefined) return undefined;
    if (!found.module) known.set(name, found.address);
    return found.address;
  }

  /** Whether there is such a symbol, also when its address is not shown. */
  has(name: string): boolean {
    const text = this.#read();
    return text.includes(` ${name}\n`) || text.includes(` ${name}\t`);
  }

  #read(): string {
    this.#text ??= readFileSync(path, "latin1");
    return this.#text;
  }
}

/** Finds a symbol in a text of that form: lines of address, letter, name and, in brackets, module. */
export function addressIn(
  text: string,
  name: string,
): { readonly address: bigint; readonly module: boolean } | undefined {
  let found: { address: bigint; module: boolean } | undefined;
  for (let at = text.indexOf(` ${name}`); at !== -1; at = text.indexOf(` ${name}`, at + 1)) {
    const after = text[at + 1 + name.length];
    if (after !== "\n" && after !== "\t" && after !== undefined) continue;
    const line = text.slice(text.lastIndexOf("\n", at) + 1, at);
    const address = BigInt(`0x${line.slice(0, line.indexOf(" "))}`);
    // Per-CPU variables may be at 0 themselves; the beginning of the kernel's code is not.
    if (address === 0n && hidden.test(text)) {
      throw new SkepError(
        "ERR_HIDDEN_ADDRESS",
        `extern "${name}": ${path} shows no addresses to this process; set kernel.kptr_restrict to 0, or 1 with CAP_SYSLOG`,
      );
    }
    if (found !== undefined && found.address !== address) {
      const places = `0x${found.address.toString(16)} and 0x${address.toString(16)}`;
      throw new SkepError("ERR_AMBIGUOUS", `extern "${name}": ${path} has it at ${places}`);
    }
    found = { address, module: after === "\t" };
  }
  return found;
}
