// SPDX-License-Identifier: Apache-2.0

/** The rows' clock ends where doubles stop being exact to the microsecond: years 1684 to 2255. */
const LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * The moment that is stored and shown for a time in microseconds since 1970: rounded down to a whole microsecond
 * and kept within the years 1684 to 2255; NaN counts as 1970.
 */
export function wholeMicroseconds(time: number): number {
  if (!(Math.abs(time) <= LIMIT)) return Number.isNaN(time) ? 0 : Math.sign(time) * LIMIT;
  return Math.floor(time);
}

/** `second` as ISO text without its fraction: rows in a batch mostly share it. */
let recent = { second: Number.NaN, text: "" };

/** Writes microseconds since 1970 as RFC 3339 in UTC, always with six digits after the point. */
export function formatTime(time: number): string {
  const micros = wholeMicroseconds(time);
  const second = Math.floor(micros / 1e6);
  if (second !== recent.second) recent = { second, text: new Date(second * 1000).toISOString().slice(0, 20) };
  return `${recent.text}${String(micros - second * 1e6).padStart(6, "0")}Z`;
}

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?)?$/;

/**
 * Reads RFC 3339 and its common short forms (a space for `T`, no seconds, only a date, `+02`, no zone for UTC) as
 * microseconds since 1970; undefined when the text is no such time, or not between 1684 and 2255. Digits beyond
 * the microsecond are dropped.
 */
export function parseTime(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = "0",
    minute = "0",
    second = "0",
    fraction = "",
    sign,
    zoneHour = "0",
    zoneMinute = "0",
  ] = match;
  const fields = [hour, minute, second, zoneHour, zoneMinute].map(Number);
  const limits = [23, 59, 59, 23, 59];
  if (fields.some((value, index) => value > (limits[index] ?? 0))) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return undefined;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === "-" ? -1 : 1);
  const seconds = midnight.getTime() / 1000 + Number(hour) * 3600 + (Number(minute) - zone) * 60 + Number(second);
  const micros = seconds * 1e6 + Number(fraction.slice(0, 6).padEnd(6, "0"));
  return Number.isSafeInteger(micros) ? micros : undefined;
}
