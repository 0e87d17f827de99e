// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import { requestEndpoint, unanswered } from "./request-endpoint.ts";
import type { RowQuery, RowSource } from "./row-source.ts";

const failure = z.object({ error: z.object({ message: z.string() }) });

/** Rows from a running `skep up`. */
export class HttpRowSource implements RowSource {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async *query(stream: string, { where, limit, order, signal }: RowQuery): AsyncIterable<readonly string[]> {
    const body = this.#get(`/api/rows/${encodeURIComponent(stream)}`, { where, limit, order }, signal);
    for await (const lines of linesOf(body)) yield lines.filter((line) => line !== "");
  }

  async *follow(
    stream: string,
    where: string | undefined,
    backlog: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]> {
    const body = this.#get(`/api/rows/${encodeURIComponent(stream)}/live`, { where, backlog }, signal);
    let event = "";
    for await (const lines of linesOf(body)) {
      const rows: string[] = [];
      for (const line of lines) {
        if (line.startsWith("event: ")) event = line.slice(7);
        else if (line.startsWith("data: ")) {
          const data = line.slice(6);
          if (event === "rows") rows.push(data);
          else if (event === "missed")
            process.stderr.write(`skep: ${data} rows came faster than they were taken, and are not shown\n`);
          else if (event === "failed") throw new SkepError("ERR_LIVE", `live rows of ${stream}: ${JSON.parse(data)}`);
        }
      }
      if (rows.length > 0) yield rows;
    }
  }

  /** The answer's bytes as they come. */
  async *#get(path: string, query: Record<string, unknown>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const url = new URL(path, this.#endpoint.url);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const response = await requestEndpoint(this.#endpoint, url, signal);
    try {
      if (response.statusCode === 200) {
        yield* response;
        return;
      }
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      throw new SkepError("ERR_REQUEST", messageOf(text) ?? `${url.pathname}: ${response.statusCode} ${text}`);
    } catch (cause) {
      signal.throwIfAborted();
      throw cause instanceof SkepError ? cause : unanswered(this.#endpoint, cause);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function messageOf(text: string): string | undefined {
  try {
    return failure.parse(JSON.parse(text)).error.message;
  } catch {
    // Not the answer of our own API: the caller shows it as it is.
    return undefined;
  }
}

/** The complete lines of each chunk, without their line breaks. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}
