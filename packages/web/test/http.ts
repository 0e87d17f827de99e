// SPDX-License-Identifier: Apache-2.0

import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a request with exactly these headers; `fetch` would not let Host, Origin and Sec-Fetch-Site be chosen. */
export async function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const message = await open(port, method, path, headers);
  let body = "";
  message.setEncoding("utf8");
  for await (const chunk of message) body += chunk;
  return { status: message.statusCode ?? 0, headers: message.headers, body };
}

/** Sends a request and resolves once the headers of the answer are there. */
export function open(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, path, headers: { host: `127.0.0.1:${port}`, ...headers }, agent: false })
      .on("response", resolve)
      .on("error", reject)
      .end();
  });
}
