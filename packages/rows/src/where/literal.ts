// SPDX-License-Identifier: Apache-2.0

import type { ColumnType } from "@skep/ebpf";
import { parseIp } from "../cells/ip-text.ts";
import { parseTime } from "../cells/time-text.ts";
import { parseDuration } from "../retention.ts";
import type { Token } from "./tokens.ts";
import type { WhereValue } from "./where-ast.ts";

/** What a column's literals look like, for messages. */
export const LITERAL_FORMS: Readonly<Record<ColumnType, string>> = {
  bool: "true or false",
  i16: "a whole number",
  i32: "a whole number",
  u32: "a whole number",
  i64: "a whole number",
  u64: "a whole number",
  f64: "a number",
  time: "a time such as 2026-01-31T12:00:00Z, now, or -5m",
  text: "a text",
  texts: "a text",
  bytes: "bytes in hexadecimal, such as 0x1f00",
  ip: "an IPv4 or IPv6 address",
  addresses: "an address such as 0xffffffff81000000",
};

/**
 * Reads a literal for a column of a type; undefined when it is none.
 *
 * @param now - what durations are relative to, microseconds since 1970
 */
export function parseLiteral(token: Token, type: ColumnType, now: number): WhereValue | undefined {
  const { text } = token;
  switch (type) {
    case "bool":
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
    case "i16":
    case "i32":
    case "u32":
    case "i64":
    case "u64":
      return /^-?\d{1,40}$|^0x[0-9a-f]{1,32}$/i.test(text) ? BigInt(text) : undefined;
    case "f64":
      return parseNumber(text);
    case "time":
      return parseMoment(text, now);
    case "bytes":
      return /^0x([0-9a-f]{2})*$/i.test(text) ? Buffer.from(text.slice(2), "hex") : undefined;
    case "ip":
      return parseIp(text);
    case "addresses":
      return /^0x[0-9a-f]{1,16}$/i.test(text) ? `0x${BigInt(text).toString(16)}` : undefined;
    default:
      return text;
  }
}

function parseNumber(text: string): number | undefined {
  if (!/^-?(\d+(\.\d*)?|\.\d+)(e[-+]?\d{1,3})?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function parseMoment(text: string, now: number): number | undefined {
  if (text.toLowerCase() === "now") return now;
  if (!/^[-+]?(\d+(\.\d+)?(us|ms|s|m|h|d|w))+$/.test(text)) return parseTime(text);
  const micros = Math.round(parseDuration(text.replace(/^[-+]/, "")) * 1e6);
  const moment = text.startsWith("-") ? now - micros : now + micros;
  return Number.isSafeInteger(moment) ? moment : undefined;
}
