// SPDX-License-Identifier: Apache-2.0

import type { ColumnEncoding, ColumnLayout, ColumnType } from "@skep/ebpf";
import { CollectorError } from "./collector-error.ts";
import type { fieldMeanings } from "./collector-spec.ts";

/** A meaning that a manifest may give to a field. */
export type FieldMeaning = (typeof fieldMeanings)[number];

interface Reading {
  readonly type: ColumnType;
  readonly encoding: ColumnEncoding;
  /** Bytes that the field must have; any when absent. */
  readonly size?: number;
}

const readings: Record<FieldMeaning, Reading> = {
  ktime: { type: "time", encoding: "ktime", size: 8 },
  duration: { type: "i64", encoding: "integer", size: 8 },
  cgroup: { type: "u64", encoding: "integer", size: 8 },
  ipv4: { type: "ip", encoding: "ipv4", size: 4 },
  ipv6: { type: "ip", encoding: "ipv6", size: 16 },
  ip: { type: "ip", encoding: "ip", size: 16 },
  port_be: { type: "i32", encoding: "port", size: 2 },
  str: { type: "text", encoding: "cstring" },
  strings: { type: "texts", encoding: "cstrings" },
  stack: { type: "addresses", encoding: "stack" },
};

/** The layout read with the meaning that the manifest gives it. Throws CollectorError when the field's size differs. */
export function withMeaning(layout: ColumnLayout, meaning: FieldMeaning, place: string): ColumnLayout {
  const reading = readings[meaning];
  if (reading.size !== undefined && reading.size !== layout.size) {
    throw new CollectorError(
      `${place}: ${meaning} is ${reading.size} bytes, field "${layout.name}" has ${layout.size}`,
    );
  }
  const { name, offset, size } = layout;
  return { name, type: reading.type, encoding: reading.encoding, offset, size, signed: reading.type === "i64" };
}
