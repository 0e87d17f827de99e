// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/**
 * The address of a symbol of the kernel or of a module, by /proc/kallsyms; undefined when there is none of that name, or
 * when the kernel hides addresses from this process (kernel.kptr_restrict, CAP_SYSLOG).
 */
export function kernelSymbolAddress(name: string): bigint | undefined {
  const text = readFileSync("/proc/kallsyms", "latin1");
  for (let at = text.indexOf(` ${name}`); at !== -1; at = text.indexOf(` ${name}`, at + 1)) {
    // A module's name follows in brackets, behind a tab.
    const after = text[at + name.length + 1];
    if (after !== "\n" && after !== "\t" && after !== undefined) continue;
    const address = BigInt(`0x${/^[0-9a-f]+/.exec(text.slice(text.lastIndexOf("\n", at) + 1, at))?.[0] ?? "0"}`);
    return address === 0n ? undefined : address;
  }
  return undefined;
}
