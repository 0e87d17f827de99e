// SPDX-License-Identifier: Apache-2.0

import type { ServerOptions as TlsOptions } from "node:https";
import type { Socket } from "node:net";
import fastifyCookie from "@fastify/cookie";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type AnswerError, answerFor } from "./answer-error.ts";
import type { Backend } from "./backend.ts";
import { type GuardOptions, judge, type Verdict } from "./guard.ts";
import { pageRoutes } from "./page-routes.ts";
import { plainPage } from "./plain-page.ts";
import type { RateHistory } from "./rate-history.ts";
import { apiRoutes } from "./routes.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

/** What the application is made of. */
export interface AppOptions {
  readonly backend: Backend;
  readonly rates: RateHistory;
  readonly guard: GuardOptions;
  readonly tls: TlsOptions | undefined;
  /** Folder of the built page. */
  readonly page: URL;
  /** Aborted when the server closes: ends live streams. */
  readonly closing: AbortSignal;
  readonly heartbeatMs: number;
  /** Told of what failed through no fault of the caller. */
  readonly onError: ((error: unknown, request: string) => void) | undefined;
}

/** A method and path that the application serves. */
export interface Route {
  readonly method: string;
  readonly url: string;
}

/** Puts the routes behind the guard. `routes` is what the router really holds. */
export async function createApp(options: AppOptions): Promise<{ app: FastifyInstance; routes: readonly Route[] }> {
  const routes: Route[] = [];
  const app = Fastify({
    https: options.tls ?? null,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    requestTimeout: 30_000,
    bodyLimit: 64 * 1024,
    ajv: { customOptions: { removeAdditional: false } },
    // A path that cannot be decoded is refused before hooks run, so the guard is asked here too.
    frameworkErrors: (error, request, reply) => {
      void guarded(app, request, reply, options.guard, () => sendError(reply, answerFor(error)));
    },
  }) as unknown as FastifyInstance;

  // Without its hook: the guard parses, also where no hook runs.
  await app.register(fastifyCookie, { hook: false });
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
  app.addHook("onRequest", (request, reply, done) => {
    void guarded(app, request, reply, options.guard, done);
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, {
      status: 404,
      body: { error: { code: "ERR_NOT_FOUND", message: `there is no ${request.method} ${request.url.split("?")[0]}` } },
    }),
  );
  app.setErrorHandler((error, request, reply) => {
    const answer = answerFor(error);
    // Whoever hung up wants no answer, and what failed is that nobody waited.
    if (answer.status >= 500 && !reply.raw.destroyed) options.onError?.(error, `${request.method} ${request.url}`);
    return sendError(reply, answer);
  });
  // No route reads a body.
  app.removeAllContentTypeParsers();

  await app.register(apiRoutes, options);
  await app.register(pageRoutes, { page: options.page });
  await app.ready();
  return { app, routes };
}

function guarded(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  options: GuardOptions,
  serve: () => void,
): unknown {
  const socket: Socket = request.raw.socket;
  const verdict = judge(
    {
      method: request.method,
      url: request.raw.url ?? "/",
      headers: request.headers,
      cookies: app.parseCookie(request.headers.cookie ?? ""),
      localAddress: socket.localAddress ?? "",
      localPort: socket.localPort ?? 0,
    },
    options,
  );
  reply.headers(SECURITY_HEADERS);
  if (verdict.kind === "serve") return serve();
  if (verdict.kind === "signIn") return reply.code(303).headers({ "set-cookie": verdict.cookie, location: "/" }).send();
  return refuse(request, reply, verdict);
}

function refuse(request: FastifyRequest, reply: FastifyReply, verdict: Verdict & { kind: "refuse" }): FastifyReply {
  const { status, code, message } = verdict;
  reply.code(status);
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="skep"');
  if (status !== 401 || !request.headers.accept?.includes("text/html")) {
    return reply.send({ error: { code, message } });
  }
  const { html, contentSecurityPolicy } = plainPage("This page needs its token", [
    "Skep prints an address with a token in it when it starts, in the terminal or the log of <code>skep up</code>. " +
      "Open that address; this browser then remembers the token.",
    "If you came here from a link on another page, reload this one.",
  ]);
  return reply.header("content-security-policy", contentSecurityPolicy).type("text/html; charset=utf-8").send(html);
}

function sendError(reply: FastifyReply, { status, body }: AnswerError): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(body);
}
