// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";

const retention = z.strictObject({
  /** Rows older than this are dropped: `7d`, `12h`. */
  age: z.string().optional(),
  /** The oldest rows are dropped beyond this: `10GiB`. */
  size: z.string().optional(),
});

/**
 * Where a workload's rows go, as manifests write it: `store` (the host's own database), `ndjson` (a file that is
 * appended to, `-` for standard output) or `postgres` (another database, by URL).
 */
export const sinkSchema = z.union([
  z.strictObject({ store: z.strictObject({ retention: retention.optional() }) }),
  z.strictObject({ ndjson: z.strictObject({ path: z.string().min(1) }) }),
  z.strictObject({ postgres: z.strictObject({ url: z.string().min(1), retention: retention.optional() }) }),
]);

/** A sink as a manifest names it; see {@link sinkSchema}. */
export type SinkSpec = z.infer<typeof sinkSchema>;
