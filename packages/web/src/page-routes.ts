// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { plainPage } from "./plain-page.ts";

/** The built page, one route a file; when it was not built, a page that says how. */
export async function pageRoutes(app: FastifyInstance, options: { readonly page: URL }): Promise<void> {
  if (existsSync(new URL("index.html", options.page))) {
    await app.register(fastifyStatic, {
      root: fileURLToPath(options.page),
      wildcard: false,
      cacheControl: false,
      decorateReply: false,
      setHeaders: (reply, path) => {
        // Names under assets/ change with the contents; everything else is asked for again.
        reply.header("cache-control", path.includes("/assets/") ? "private, max-age=31536000, immutable" : "no-cache");
      },
    });
    return;
  }
  app.get("/", (_request, reply) => {
    const { html, contentSecurityPolicy } = plainPage("The page is not built", [
      "Run <code>npm run build:page</code> in the repository, then start Skep again. The API works without it.",
    ]);
    return reply
      .code(503)
      .header("content-security-policy", contentSecurityPolicy)
      .type("text/html; charset=utf-8")
      .send(html);
  });
}
