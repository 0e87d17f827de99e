// SPDX-License-Identifier: Apache-2.0

import { sinkSchema } from "@skep/workload";
import { z } from "zod";

const cookie = z.union([z.int().nonnegative(), z.bigint()]).transform(BigInt).optional();

const attachTarget = z.union([
  z.strictObject({ tracepoint: z.string().regex(/^[^:/]+:[^:/]+$/, "must be category:name"), cookie }),
  z.strictObject({ rawTracepoint: z.string().min(1) }),
  z.strictObject({ tpBtf: z.string().min(1) }),
  z.strictObject({
    perfEvent: z.strictObject({
      event: z.string().min(1),
      period: z.int().positive().optional(),
      frequency: z.int().positive().optional(),
      pid: z.int().nonnegative().optional(),
      cpu: z.int().nonnegative().optional(),
    }),
    cookie,
  }),
]);

/** What a field means when its C type does not tell: the typedefs of skep.bpf.h without their prefix. */
export const fieldMeanings = [
  "ktime",
  "duration",
  "cgroup",
  "ipv4",
  "ipv6",
  "ip",
  "port_be",
  "str",
  "strings",
  "stack",
] as const;

const column = z.strictObject({
  name: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, "must be lower-case letters, digits and underscores, at most 63"),
  /** Field of the record; the column's name unless given. Nested ones as `outer_inner`. */
  field: z.string().optional(),
  meaning: z.enum(fieldMeanings).optional(),
  description: z.string().optional(),
});

const stream = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,47}$/, "must be lower-case letters, digits and underscores, at most 48"),
  description: z.string().optional(),
  /** Ring buffer or perf event array that carries the records. */
  map: z.string().min(1),
  /** Struct that the records are, when the map does not declare it. */
  record: z.string().optional(),
  /** Every field of the struct unless given. */
  columns: z.array(column).min(1).optional(),
  /** Bytes of the ring buffer, instead of what the object asks for: a power of two of pages. */
  bufferBytes: z.int().positive().optional(),
  /** Per-CPU array with a `struct skep_ledger`; `MAP_ledger` unless given, and none when that does not exist. */
  ledger: z.string().optional(),
});

/** `spec` of `kind: Collector`. */
export const collectorSchema = z.strictObject({
  /** The eBPF object, relative to the manifest. */
  object: z.string().min(1),
  /** Programs to load and where they attach; every program of the object by its section unless given. */
  programs: z
    .array(z.strictObject({ name: z.string().min(1), attach: attachTarget.optional() }))
    .min(1)
    .optional(),
  /** Values for the object's global variables. */
  variables: z.record(z.string(), z.unknown()).optional(),
  streams: z.array(stream).min(1),
  /** Where the rows go; the host's default unless given. */
  sinks: z.array(sinkSchema).min(1).optional(),
});

/** A collector as its manifest describes it. */
export type CollectorSpec = z.infer<typeof collectorSchema>;

/** One stream of a collector's spec. */
export type StreamSpec = CollectorSpec["streams"][number];

/** One column of a stream's spec. */
export type ColumnSpec = NonNullable<StreamSpec["columns"]>[number];
