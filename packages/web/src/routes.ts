// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Backend } from "./backend.ts";
import { eventStream } from "./event-stream.ts";
import { infoOf, overviewOf, workloadOf } from "./overview.ts";
import type { RateHistory } from "./rate-history.ts";

/** What the routes of the API work with. */
export interface ApiOptions {
  readonly backend: Backend;
  readonly rates: RateHistory;
  /** Aborted when the server closes: ends live streams. */
  readonly closing: AbortSignal;
  readonly heartbeatMs: number;
  /** Told of a stream that failed after its answer had begun. */
  readonly onError: ((error: unknown, request: string) => void) | undefined;
}

const MOST_BACKLOG = 5_000;

const where = { type: "string", maxLength: 4096 };
const query = (properties: object): object => ({
  querystring: { type: "object", additionalProperties: false, properties },
});

/** Beyond this a number is not the one that was sent. */
const maximum = Number.MAX_SAFE_INTEGER;

const OVERVIEW = query({ since: { type: "integer", minimum: 0, maximum, default: 0 } });
const ROWS = query({
  where,
  limit: { type: "integer", minimum: 1, maximum },
  order: { enum: ["newest", "oldest"], default: "newest" },
  before: { type: "integer", minimum: 0, maximum },
});
const LIVE = query({ where, backlog: { type: "integer", minimum: 0, maximum: MOST_BACKLOG, default: 100 } });

/** The routes under `/api`, and `/metrics`. */
export async function apiRoutes(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { backend, rates, closing, heartbeatMs, onError } = options;

  app.get("/api/info", () => infoOf(backend.info()));
  app.get("/api/streams", () => backend.streams());
  app.get("/api/workloads", () => backend.workloads().map(workloadOf));
  app.get("/api/ledger", () => backend.ledgers());
  app.get<{ Querystring: { since: number } }>("/api/overview", { schema: OVERVIEW }, (request) =>
    overviewOf(backend, rates, request.query.since),
  );

  app.get<{
    Params: { stream: string };
    Querystring: { where?: string; limit?: number; order: "newest" | "oldest"; before?: number };
  }>("/api/rows/:stream", { schema: ROWS }, async (request, reply) => {
    // An answer under way may end when the server closes; see `WebServer.close`.
    const signal = whenClosed(reply.raw);
    const batches = await backend.query(request.params.stream, { ...withoutBlank(request.query), signal });
    return reply.type("application/x-ndjson; charset=utf-8").send(readable(ndjson(batches)));
  });

  app.get<{ Params: { stream: string }; Querystring: { where?: string; backlog: number } }>(
    "/api/rows/:stream/live",
    { schema: LIVE },
    async (request, reply) => {
      const signal = AbortSignal.any([closing, whenClosed(reply.raw)]);
      const rows = await backend.live(request.params.stream, { ...withoutBlank(request.query), signal });
      const events = eventStream(rows, heartbeatMs, (error) => onError?.(error, `GET ${request.url}`));
      return reply.type("text/event-stream; charset=utf-8").send(readable(events));
    },
  );

  app.get("/metrics", async (_request, reply) => {
    const text = await backend.metrics();
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(text);
  });

  app.post("/api/reload", async (_request, reply) => {
    await backend.reload();
    return reply.code(204).send();
  });
}

/** An empty filter asks for every row. */
function withoutBlank<T extends { readonly where?: string }>(query: T): T {
  if (query.where === undefined || query.where.trim() !== "") return query;
  const { where: _, ...rest } = query;
  return rest as T;
}

async function* ndjson(batches: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const lines of batches) {
    if (lines.length > 0) yield `${lines.join("\n")}\n`;
  }
}

/** A stream that holds one chunk at most: the source is asked for more when the socket took what it gave. */
function readable(chunks: AsyncGenerator<string>): Readable {
  return Readable.from(chunks, { highWaterMark: 1 });
}

function whenClosed(response: NodeJS.EventEmitter): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  return controller.signal;
}
