// SPDX-License-Identifier: Apache-2.0

/**
 * The page and its API over HTTP. `Backend` is what it needs of its host.
 *
 * @module web
 */
export type { Route } from "./app.ts";
export type {
  Backend,
  HostInfo,
  LiveOptions,
  LiveRows,
  Notice,
  QueryOptions,
  StorageInfo,
  StreamInfo,
  WorkloadInfo,
} from "./backend.ts";
export { ServeError } from "./errors.ts";
export { newToken, type ServerOptions, startServer, type WebServer } from "./server.ts";
export type {
  Overview,
  WireColumn,
  WireCondition,
  WireError,
  WireInfo,
  WireLedger,
  WireRates,
  WireSink,
  WireStream,
  WireWorkload,
} from "./wire.ts";
