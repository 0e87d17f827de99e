// SPDX-License-Identifier: Apache-2.0

/**
 * The values that the CPUs have of one key as one value, as what counts per CPU is meant: numbers are added up, also those in
 * structs and arrays; of anything else (text, bytes, enums by name) the first that is not empty counts, or the first. Undefined
 * for no CPUs.
 */
export function sumCpus(values: readonly unknown[]): unknown {
  const [first] = values;
  if (typeof first === "number" || typeof first === "bigint") {
    return values.reduce((sum, value) => (sum as number) + (value as number), typeof first === "number" ? 0 : 0n);
  }
  if (Array.isArray(first)) {
    return first.map((_, i) => sumCpus((values as readonly unknown[][]).map((each) => each[i])));
  }
  if (typeof first === "object" && first !== null && !(first instanceof Uint8Array)) {
    const names = new Set((values as readonly object[]).flatMap((each) => Object.keys(each)));
    const fields = values as readonly Readonly<Record<string, unknown>>[];
    return Object.fromEntries(
      Array.from(names, (name) => [name, sumCpus(fields.flatMap((each) => (name in each ? [each[name]] : [])))]),
    );
  }
  return values.find((value) => !isEmpty(value)) ?? first;
}

function isEmpty(value: unknown): boolean {
  return value instanceof Uint8Array ? value.every((byte) => byte === 0) : value === "" || value === false;
}
