// SPDX-License-Identifier: Apache-2.0

/**
 * What a service is made of: manifests, status, reload, and hosting on this machine. Everything that runs is a `Workload`.
 *
 * @module workload
 */
export { Conditions, phaseOf } from "./conditions.ts";
export type { HostContext, WorkloadReport } from "./hosted-workload.ts";
export { ledgerMetrics } from "./ledger-metrics.ts";
export { formatLogLine } from "./line-format.ts";
export { type LoadManifestsOptions, loadManifests } from "./load-manifests.ts";
export { createLogger, type LoggerOptions } from "./logger.ts";
export {
  API_VERSION,
  type Manifest,
  type ManifestSource,
  NAME_PATTERN,
  type Placement,
  tableName,
} from "./manifest.ts";
export { formatProblem, ManifestError, type ManifestProblem } from "./manifest-error.ts";
export { createMetrics, type MetricsOptions } from "./metrics.ts";
export { nearest } from "./nearest.ts";
export { nodeName } from "./node-name.ts";
export { MAX_MANIFEST_BYTES, type ParseManifestsOptions, parseManifests } from "./parse-manifests.ts";
export { MAX_OBJECT_BYTES, readBoundedFile } from "./read-bounded-file.ts";
export { type ReloadOptions, type ReloadReason, reloadOn } from "./reload.ts";
export { type SinkSpec, sinkSchema } from "./sink-spec.ts";
export type { Condition, WorkloadPhase, WorkloadStatus } from "./status.ts";
export { type WatchFilesOptions, watchFiles } from "./watch-files.ts";
export type { RunningWorkload, Workload, WorkloadContext } from "./workload.ts";
export { type Backoff, WorkloadSet, type WorkloadSetOptions } from "./workload-set.ts";
