// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { SkepError } from "@skep/ebpf";
import {
  NdjsonSink,
  PostgresSink,
  parseDuration,
  parseSize,
  type Retention,
  type RowStore,
  type Sink,
} from "@skep/rows";
import type { SinkSpec } from "@skep/workload";

/** Opens a sink that a manifest names; relative paths start from `base`. `store` is the host's own, if it has one. */
export function openSink(spec: SinkSpec, base: string, store: RowStore | undefined): Sink {
  if ("ndjson" in spec) {
    const { path } = spec.ndjson;
    return path === "-" ? new NdjsonSink(process.stdout) : new NdjsonSink(resolve(base, path));
  }
  if ("postgres" in spec) {
    const { url, retention } = spec.postgres;
    return new PostgresSink({ url }, { name: `postgres:${withoutPassword(url)}`, retention: retentionOf(retention) });
  }
  if (store === undefined) {
    throw new SkepError(
      "ERR_NO_STORE",
      'sink "store": this host has no store; run it under `skep up`, or name another sink',
    );
  }
  return store.sink({ retention: retentionOf(spec.store.retention) });
}

/** A URL as it may be shown. */
export function withoutPassword(url: string): string {
  const shown = URL.parse(url);
  if (shown === null)
    throw new SkepError("ERR_USAGE", "the URL of a PostgreSQL cannot be read, wanted postgres://USER@HOST/DATABASE");
  shown.password = "";
  return shown.href;
}

function retentionOf(retention: { age?: string | undefined; size?: string | undefined } | undefined): Retention {
  return {
    ...(retention?.age === undefined ? {} : { age: parseDuration(retention.age) }),
    ...(retention?.size === undefined ? {} : { size: parseSize(retention.size) }),
  };
}
