// SPDX-License-Identifier: Apache-2.0

/**
 * A row's time in microseconds since 1970: from a number of them, or from ISO 8601 text, whose digits past the
 * millisecond `Date` would drop. Undefined for anything else.
 */
export function microseconds(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  const milliseconds = Date.parse(value);
  if (Number.isNaN(milliseconds)) return undefined;
  const fraction = /\.\d{3}(\d{1,3})/.exec(value)?.[1] ?? "";
  return milliseconds * 1000 + Number(fraction.padEnd(3, "0"));
}

/** Time of day here, to the millisecond. */
export function clock(us: number): string {
  const date = new Date(us / 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Date and time here, to the microsecond, with the offset from UTC. */
export function timestamp(us: number): string {
  const date = new Date(us / 1000);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(us)}${String(Math.floor(us) % 1000).padStart(3, "0")} ${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
