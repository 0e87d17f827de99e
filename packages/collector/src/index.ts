// SPDX-License-Identifier: Apache-2.0

/**
 * `kind: Collector`: an eBPF object whose records become rows. `collector` is the workload.
 *
 * @module collector
 */
export { type BundledCollector, bundledCollectors } from "./bundled.ts";
export { collector } from "./collector.ts";
export { CollectorError } from "./collector-error.ts";
export { type CollectorSpec, type ColumnSpec, collectorSchema, type StreamSpec } from "./collector-spec.ts";
