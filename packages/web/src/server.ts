// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { type AddressInfo, isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { createApp, type Route } from "./app.ts";
import type { Backend } from "./backend.ts";
import { ServeError } from "./errors.ts";
import { HEARTBEAT_MS } from "./event-stream.ts";
import { isLoopback } from "./loopback.ts";
import { isWildcard, loopbackOf, reachableAddress } from "./own-addresses.ts";
import { RateHistory } from "./rate-history.ts";

/** Milliseconds that answers under way get to end when the server closes. */
const CLOSE_MS = 1_000;
const SHORTEST_TOKEN = 16;

/** How to serve. */
export interface ServerOptions {
  readonly backend: Backend;
  /** Address to listen on. Without `tls` it must be a loopback address. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The secret that every request must carry; at least 16 characters. {@link newToken} makes one. */
  readonly token: string;
  /** Certificate chain and key, in PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** Host names, besides the bound address, that requests may be made to. */
  readonly names?: readonly string[];
  /** Told of what failed through no fault of the caller, and in which request. */
  readonly onError?: (error: unknown, request: string) => void;
  /** Folder of the built page; the package's own unless given. */
  readonly page?: URL;
  /** Milliseconds between signs of life on a live stream without rows; 15,000 unless given. */
  readonly heartbeatMs?: number;
}

/** A server that listens. */
export interface WebServer extends AsyncDisposable {
  /** Address that it was told to listen on. */
  readonly host: string;
  readonly port: number;
  /**
   * What to open in a browser: the address with the token in it. A secret. On all of the machine's addresses (`::`,
   * `0.0.0.0`) that is the first configured name, else one of these addresses, preferably one that others reach.
   */
  readonly address: string;
  /** Where a program on this machine reaches it, without a path: a loopback address when it listens on all. */
  readonly localUrl: string;
  /** Every route, as the router holds them. */
  readonly routes: readonly Route[];
  /** Stops listening, ends live streams at once, and gives other answers a second. Idempotent. */
  close(): Promise<void>;
}

/** A token of 192 random bits. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Serves the page and the API.
 *
 * @throws {@link ServeError}
 */
export async function startServer(options: ServerOptions): Promise<WebServer> {
  const { backend, token, tls } = options;
  // One address, not whatever the resolver makes of the name.
  const host = options.host === "localhost" ? "127.0.0.1" : options.host;
  if (tls === undefined && !isLoopback(host)) {
    throw new ServeError(
      "ERR_BIND_REFUSED",
      `refused to listen on ${host} without TLS: the token and the rows would cross the network in the clear; ` +
        "give a certificate and its key, or listen on 127.0.0.1 and reach it through a tunnel " +
        `(ssh -L ${options.port || "PORT"}:127.0.0.1:${options.port || "PORT"} HOST)`,
    );
  }
  if (!/^[\w.~-]+$/.test(token) || token.length < SHORTEST_TOKEN) {
    throw new ServeError(
      "ERR_TOKEN",
      `the token must have at least ${SHORTEST_TOKEN} characters of A-Z a-z 0-9 - . _ ~; it has ${token.length}`,
    );
  }

  const names = (options.names ?? []).map((name) => name.toLowerCase());
  // A name to listen on is one to be asked for by.
  if (/[a-z]/i.test(host) && isIP(host) === 0) names.push(host.toLowerCase());
  const closing = new AbortController();
  const rates = new RateHistory();
  const { app, routes } = await createApp({
    backend,
    rates,
    guard: { token, names, secure: tls !== undefined, onAllAddresses: isWildcard(host) },
    tls,
    page: options.page ?? new URL("../page/dist/", import.meta.url),
    closing: closing.signal,
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    onError: options.onError,
  });
  const { address: bound, port } = await listen(app, host, options.port);
  const scheme = tls === undefined ? "http" : "https";
  const sampling = sampleEverySecond(rates, backend);

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      clearInterval(sampling);
      closing.abort();
      await closeWithin(app, CLOSE_MS);
    })();
    return closed;
  };
  return {
    host,
    port,
    address: `${scheme}://${authority(isWildcard(bound) ? (names[0] ?? reachableAddress(bound)) : host, port)}/?token=${token}`,
    localUrl: `${scheme}://${authority(isWildcard(bound) ? loopbackOf(bound) : bound, port)}`,
    routes,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<AddressInfo> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const address = authority(host, port);
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === "EADDRINUSE") {
      throw new ServeError(
        "ERR_ADDRESS_IN_USE",
        `cannot listen on ${address}: something else does (EADDRINUSE); stop it, or choose another port (0 picks a free one)`,
        { cause },
      );
    }
    throw new ServeError("ERR_LISTEN", `cannot listen on ${address}: ${code}`, { cause });
  }
  return app.server.address() as AddressInfo;
}

function sampleEverySecond(rates: RateHistory, backend: Backend): NodeJS.Timeout {
  const sample = (): void => rates.sample(backend.ledgers(), Math.floor(Date.now() / 1000));
  sample();
  return setInterval(sample, 1000).unref();
}

async function closeWithin(app: FastifyInstance, ms: number): Promise<void> {
  const server = app.server;
  const timer = setTimeout(() => server.closeAllConnections(), ms);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
