// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "./loopback.ts";
import { isOwnAddress } from "./own-addresses.ts";

/** What decides who may ask. */
export interface GuardOptions {
  /** The secret that every request proves to know. */
  readonly token: string;
  /** Host names, besides the bound address, that requests may be made to. */
  readonly names: readonly string[];
  /** Whether the server speaks TLS. */
  readonly secure: boolean;
  /** Whether it listens on all of the machine's addresses: requests may be made to each of them. */
  readonly onAllAddresses: boolean;
}

/** The parts of a request that the decision rests on. */
export interface GuardedRequest {
  readonly method: string;
  /** The request target: path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** Address and port that the connection was made to. */
  readonly localAddress: string;
  readonly localPort: number;
}

/** What to do with a request: serve it, answer with the cookie and a redirect, or refuse it. */
export type Verdict =
  | { readonly kind: "serve" }
  | { readonly kind: "signIn"; readonly cookie: string }
  | { readonly kind: "refuse"; readonly status: 401 | 403 | 421; readonly code: string; readonly message: string };

const SERVE: Verdict = { kind: "serve" };
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Name of the cookie. Cookies do not know ports, so it has the port in it: two servers on one machine get along. */
export function cookieName(port: number): string {
  return `skep_token_${port}`;
}

/**
 * Decides about a request, before any route is looked up.
 *
 * The Host must be ours (a page elsewhere can point its own name at loopback: DNS rebinding), an Origin must be the
 * same as the Host, the token must be there, and with the cookie, which browsers send on their own, a request that
 * another page made is refused.
 */
export function judge(request: GuardedRequest, options: GuardOptions): Verdict {
  const { method, headers } = request;
  const host = headers.host?.toLowerCase();
  if (host === undefined || !isOurs(host, request, options)) {
    return refuse(421, "ERR_HOST", `host "${host ?? ""}" is not served here`);
  }
  const { origin } = headers;
  if (origin !== undefined && !isSameOrigin(origin, host, options)) {
    return refuse(403, "ERR_ORIGIN", `requests from origin "${origin}" are refused`);
  }

  const presented = signInToken(request);
  if (presented !== undefined) {
    return equalSecrets(presented, options.token) ? signIn(request.localPort, options) : unauthorized();
  }
  const bearer = /^Bearer +([^ ]+)$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return equalSecrets(bearer, options.token) ? SERVE : unauthorized();

  const cookie = request.cookies[cookieName(request.localPort)];
  if (cookie === undefined || !equalSecrets(cookie, options.token)) return unauthorized();

  const site = headers["sec-fetch-site"];
  if (SAFE_METHODS.has(method)) {
    const foreign = site !== undefined && site !== "same-origin" && site !== "none";
    if (foreign && headers["sec-fetch-mode"] !== "navigate") {
      return refuse(403, "ERR_ORIGIN", "requests that another site makes are refused");
    }
  } else if (site === undefined ? origin === undefined : site !== "same-origin") {
    return refuse(403, "ERR_ORIGIN", `${method} is refused unless it comes from this page or with a bearer token`);
  }
  return SERVE;
}

function refuse(status: 401 | 403 | 421, code: string, message: string): Verdict {
  return { kind: "refuse", status, code, message };
}

function unauthorized(): Verdict {
  return refuse(401, "ERR_UNAUTHORIZED", "this needs the token: open the address that Skep printed when it started");
}

function signIn(port: number, options: GuardOptions): Verdict {
  const secure = options.secure ? "; Secure" : "";
  return { kind: "signIn", cookie: `${cookieName(port)}=${options.token}; Path=/; HttpOnly; SameSite=Strict${secure}` };
}

/** The token of `GET /?token=…`; undefined for every other request. */
function signInToken({ method, url }: GuardedRequest): string | undefined {
  if (method !== "GET" || !url.startsWith("/?")) return undefined;
  return new URLSearchParams(url.slice(2)).get("token") ?? undefined;
}

function isOurs(
  host: string,
  { localAddress, localPort }: GuardedRequest,
  { names, secure, onAllAddresses }: GuardOptions,
): boolean {
  const [, name, port] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d+))?$/.exec(host) ?? [];
  if (name === undefined) return false;
  // Which port a configured name is reached by is up to whoever forwards it here.
  if (names.includes(name)) return true;
  if (Number(port ?? (secure ? 443 : 80)) !== localPort) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  // A connection to one address may come by way of another: loopback, behind a tunnel.
  if (onAllAddresses && isOwnAddress(bare)) return true;
  if (isLoopback(localAddress)) return isIP(bare) === 0 ? bare === "localhost" : isLoopback(bare);
  return isIP(bare) !== 0 && bare === localAddress.replace(/^::ffff:/, "");
}

function isSameOrigin(origin: string, host: string, { secure, names }: GuardOptions): boolean {
  const prefix = /^https?:\/\//.exec(origin)?.[0];
  if (prefix === undefined || origin.slice(prefix.length).toLowerCase() !== host) return false;
  // Behind a configured name TLS may end before us; everywhere else the scheme is ours too.
  return prefix === (secure ? "https://" : "http://") || names.includes(host.replace(/:\d+$/, ""));
}

/** Compares without telling by its time how much is equal: both sides are hashed to one length first. */
function equalSecrets(left: string, right: string): boolean {
  return timingSafeEqual(createHash("sha256").update(left).digest(), createHash("sha256").update(right).digest());
}
