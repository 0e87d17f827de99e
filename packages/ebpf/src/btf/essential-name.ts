// SPDX-License-Identifier: Apache-2.0

const UNDERSCORE = 0x5f;

/**
 * Length of a name without its flavour: `task_struct___old` is a flavour of `task_struct`, a local definition
 * of the same kernel type (Documentation/bpf/libbpf, CO-RE). The separator is exactly three underscores.
 */
export function essentialLength(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 5; at >= start; at--) {
    if (
      bytes[at + 1] === UNDERSCORE &&
      bytes[at + 2] === UNDERSCORE &&
      bytes[at + 3] === UNDERSCORE &&
      bytes[at] !== UNDERSCORE &&
      bytes[at + 4] !== UNDERSCORE
    ) {
      return at + 1 - start;
    }
  }
  return end - start;
}

/** A name without its `___flavour`; the separator is exactly three underscores. */
export function essentialName(name: string): string {
  const match = /^(.*[^_])___[^_]/s.exec(name);
  return match === null ? name : (match[1] as string);
}
