// SPDX-License-Identifier: Apache-2.0

import type { ProgramSpec } from "../program-spec.ts";

/**
 * A call of a function that the kernel lacks becomes the call of a helper with this number, plus the index among
 * the program's `externReferences`. No kernel has such a helper: the verifier refuses it where it can be reached, and leaves it out
 * where it cannot.
 */
export const POISONED_CALL = 2_002_000_000;

/** A refusal in plain words, as the explanations of verifier errors are made of. */
export interface PoisonExplanation {
  readonly explanation: string;
  readonly hint: string;
}

/**
 * Explains the verifier's complaint about a symbol of the kernel (`__ksym`): a call of a function that was missing when the
 * program was loaded (`invalid func unknown#2002000003`), or a variable whose address the kernel does not know. Undefined when the log
 * has neither.
 */
export function explainPoison(
  log: string,
  { externReferences }: Pick<ProgramSpec, "externReferences">,
): PoisonExplanation | undefined {
  const hidden = /failed to find the address for kernel symbol '([^']+)'/.exec(log)?.[1];
  if (hidden !== undefined) {
    return {
      explanation: `This kernel describes "${hidden}" in its types, and does not know its address.`,
      hint: "Addresses of variables take a kernel that is built with CONFIG_KALLSYMS_ALL.",
    };
  }
  for (const [, number] of log.matchAll(/unknown#(\d{10})\b/g)) {
    const name = externReferences[Number(number) - POISONED_CALL]?.name;
    if (name === undefined) continue;
    return {
      explanation: `The program calls "${name}" (__ksym __weak), and this kernel has no such function with the declared signature.`,
      hint: `Ask before: if (bpf_ksym_exists(${name})) …, so that the call is not reached on kernels without it.`,
    };
  }
  return undefined;
}
