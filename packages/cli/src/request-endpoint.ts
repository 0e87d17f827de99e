// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { type RequestOptions, request as requestTls } from "node:https";
import { SkepError } from "@skep/ebpf";
import type { Endpoint } from "./endpoint.ts";

/**
 * GETs a path with its query from a running `skep up`, and resolves with the answer, whatever its status. The token
 * goes to nobody who does not show the endpoint's certificate. Errors name the URL, the process and a remedy.
 */
export async function requestEndpoint(endpoint: Endpoint, path: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const { certificate, token, url } = endpoint;
  const request = url.startsWith("https:") ? requestTls : requestPlain;
  const options = {
    headers: { authorization: `Bearer ${token}` },
    // A connection that is kept would keep the process.
    agent: false,
    signal,
    ...(certificate === undefined ? {} : trustingOnly(certificate)),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(path, options, resolve).on("error", reject).end();
  try {
    return await promise;
  } catch (cause) {
    signal.throwIfAborted();
    throw unanswered(endpoint, cause);
  }
}

/** The error for a server that does not answer, or stops in the middle of it. */
export function unanswered({ url, pid }: Endpoint, cause: unknown): SkepError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SkepError(
    "ERR_UNANSWERED",
    `no answer from \`skep up\` at ${url} (process ${pid}): ${reason}; if it hangs, end it and start it again`,
    { cause },
  );
}

/** Trusts this certificate and no other, whoever signed it and whatever name it was made out to. */
function trustingOnly(pem: string): RequestOptions {
  const wanted = new X509Certificate(pem);
  return {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, { raw }) =>
      wanted.raw.equals(raw) ? undefined : new Error("it shows another certificate than the one that it published"),
  };
}
