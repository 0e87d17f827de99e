// SPDX-License-Identifier: Apache-2.0

/** A whole number with separators between thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Events a second: one decimal while small, short when large. */
export function rate(value: number): string {
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(1);
  if (value < 10_000) return count(value);
  return value < 1e6 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

/** Bytes in powers of 1024. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = value;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(amount < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Seconds as their two largest units: `3 d 4 h`, `12 min 5 s`. */
export function duration(seconds: number): string {
  const units: readonly [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const whole = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([size]) => whole >= size);
  if (first === -1) return "0 s";
  let rest = whole;
  const parts: string[] = [];
  for (const [size, name] of units.slice(first, first + 2)) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount} ${name}`);
  }
  return parts.join(" ");
}

/** Nanoseconds in the unit that fits: `850 ns`, `1.24 ms`, `3.10 s`, `4 min 2 s`. */
export function nanoseconds(value: number): string {
  if (value < 1e3) return `${value} ns`;
  if (value < 1e6) return `${(value / 1e3).toFixed(2)} µs`;
  if (value < 1e9) return `${(value / 1e6).toFixed(2)} ms`;
  return value < 60e9 ? `${(value / 1e9).toFixed(2)} s` : duration(value / 1e9);
}

/** Quotes what a shell would not take as one plain word. */
export function shellLine(words: readonly unknown[]): string {
  return words
    .map(String)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
