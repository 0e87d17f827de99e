// SPDX-License-Identifier: Apache-2.0

import { release } from "node:os";
import { bundledCollectors } from "@skep/collector";
import { lockDataFolder, MemorySink, makeFolder, openStore, type Retention, RowHub } from "@skep/rows";
import { newToken, startServer, type WebServer } from "@skep/web";
import { createMetrics, ledgerMetrics, nodeName, reloadOn, WorkloadSet } from "@skep/workload";
import type { Logger } from "pino";
import { publishEndpoint } from "./endpoint.ts";
import { HostBackend } from "./host-backend.ts";
import { kinds } from "./kinds.ts";
import { ManifestSource } from "./manifest-source.ts";
import { openEngine } from "./open-engine.ts";
import { openSink } from "./open-sink.ts";
import { StorageReport } from "./storage-report.ts";
import { version } from "./version.ts";

/** What `skep up` is started with. */
export interface HostOptions {
  /** Data folder, absolute. */
  readonly data: string;
  /** URL of a PostgreSQL to store rows in, instead of the embedded one. */
  readonly store?: string;
  readonly retention: Retention;
  /** Manifests besides the bundled ones. */
  readonly manifests: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  readonly names?: readonly string[];
  readonly logger: Logger;
}

/** A running `skep up`: an engine, a store, workloads and a server, closed in the opposite order. */
export class Host implements AsyncDisposable {
  readonly backend: HostBackend;
  readonly server: WebServer;
  readonly #stack: AsyncDisposableStack;

  private constructor(backend: HostBackend, server: WebServer, stack: AsyncDisposableStack) {
    this.backend = backend;
    this.server = server;
    this.#stack = stack;
  }

  /**
   * Starts all of it, or nothing: what had been started when something failed is closed again. Rejects with the
   * signal's reason when that gives the start up; later the signal means nothing.
   */
  static async start(options: HostOptions, signal: AbortSignal): Promise<Host> {
    const { data, logger } = options;
    await using stack = new AsyncDisposableStack();
    // The embedded store sees to its folder itself; the endpoint wants one of its own in any case.
    if (options.store !== undefined) {
      makeFolder(data, 0o700);
      stack.use(lockDataFolder(data, "skep up"));
    }
    const store = stack.use(
      await openStore(options.store === undefined ? { data } : { url: options.store }, {
        owner: "skep up",
        onEvent: ({ message }) => logger.warn(`store: ${message}`),
      }),
    );
    signal.throwIfAborted();
    const { engine, notice } = openEngine();
    stack.use(engine);
    const memory = new MemorySink();
    const hub = stack.use(
      new RowHub({
        always: [memory],
        sinks: [
          store.sink({
            retention: options.retention,
            onError: (error) => logger.warn({ err: error }, "store: looking after retention failed"),
          }),
        ],
        onError: (error, sink, schema) =>
          logger.warn({ err: error }, `sink ${sink.name} of ${schema.name} failed, will be tried again`),
      }),
    );
    const metrics = createMetrics();
    ledgerMetrics(metrics, () => hub.ledgers());
    const node = engine.capabilities.recording ? "recording" : nodeName();
    const workloads = stack.use(
      new WorkloadSet({
        kinds,
        engine,
        node,
        rows: hub,
        openSink: (spec, base) => openSink(spec, base, store),
        logger,
        metrics,
      }),
    );
    const bundled = bundledCollectors.map(({ manifest }) => manifest);
    const source = new ManifestSource([...bundled, ...options.manifests], signal);
    const watching = new AbortController();
    stack.defer(() => watching.abort());
    const reload = async (): Promise<void> => {
      await workloads.reconcile(await source.load());
    };
    const storage = new StorageReport(store, options);
    stack.use(storage);
    const startedAt = new Date();
    const backend = new HostBackend({
      info: () => ({
        version: version(),
        node,
        kernel: process.platform === "linux" ? release() : process.platform,
        recording: engine.capabilities.recording,
        ...(notice === undefined ? {} : { notice }),
        startedAt,
        storage: storage.info(),
      }),
      store,
      memory,
      hub,
      workloads,
      metrics,
      reload,
    });
    const token = newToken();
    const server = stack.use(
      await startServer({
        backend,
        host: options.host,
        port: options.port,
        token,
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        ...(options.names === undefined ? {} : { names: options.names }),
        onError: (error, request) => logger.error({ err: error }, request),
      }),
    );
    const { tls } = options;
    stack.use(
      publishEndpoint(data, {
        pid: process.pid,
        url: new URL(server.localUrl).origin,
        token,
        ...(tls === undefined ? {} : { certificate: tls.cert.toString() }),
      }),
    );
    reloadOn({ files: source.files, signal: watching.signal, logger }, reload);
    await reload();
    signal.throwIfAborted();
    return new Host(backend, server, stack.move());
  }

  /** Stops the server, detaches and closes the workloads, writes what they observed, and closes the store. */
  async close(): Promise<void> {
    await this.#stack.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
