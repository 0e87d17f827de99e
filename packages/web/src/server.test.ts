// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request as secureRequest } from "node:https";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, ask, open } from "../test/http.ts";
import { MemoryBackend } from "../test/memory-backend.ts";
import { newToken, type ServerOptions, startServer, type WebServer } from "./server.ts";

const TOKEN = newToken();
const BEARER = { authorization: `Bearer ${TOKEN}` };
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

let backend: MemoryBackend;
let server: WebServer;
let cookie: { cookie: string };

const start = (options: Partial<ServerOptions> = {}): Promise<WebServer> =>
  startServer({ backend, host: "127.0.0.1", port: 0, token: TOKEN, ...options });
const get = (path: string, headers: Record<string, string> = BEARER): Promise<Answer> =>
  ask(server.port, "GET", path, headers);

beforeEach(async () => {
  backend = new MemoryBackend();
  server = await start({ heartbeatMs: 50 });
  cookie = { cookie: `skep_token_${server.port}=${TOKEN}` };
});

afterEach(() => server.close());

describe("who may ask", () => {
  it("answers 401 without the token, and with a wrong one, on every route with every method", async () => {
    const paths = new Set(server.routes.map(({ url }) => url.replace(":stream", "exec")));
    expect(paths).toContain("/api/rows/exec/live");
    expect(paths).toContain("/");
    const unknown = [
      "/nowhere",
      "/api/nowhere",
      "/%zz",
      "/assets/..%2f..%2fpackage.json",
      "//",
      "/api/info?token=x",
      "*",
    ];
    const wrong = [
      {},
      { authorization: `Bearer ${newToken()}` },
      { authorization: `Bearer ${TOKEN}x` },
      { authorization: `Basic ${TOKEN}` },
      { cookie: `skep_token_${server.port}=${newToken()}` },
      { cookie: `skep_token_${server.port + 1}=${TOKEN}` },
    ];
    for (const path of [...paths, ...unknown]) {
      for (const method of METHODS) {
        for (const headers of wrong) {
          const { status, headers: sent } = await ask(server.port, method, path, headers as Record<string, string>);
          expect({ path, method, headers, status }).toEqual({ path, method, headers, status: 401 });
          expect(sent["set-cookie"]).toBeUndefined();
        }
      }
    }
    expect(backend.reloads).toBe(0);
  });

  it("says where the token is printed, to browsers on a page and to programs in JSON", async () => {
    const page = await get("/", { accept: "text/html" });
    expect(page.body).toContain("prints an address with a token");
    expect(page.headers["content-type"]).toContain("text/html");
    expect(JSON.parse((await get("/api/info", {})).body).error.code).toBe("ERR_UNAUTHORIZED");
  });

  it("takes the token from the address once, keeps it in a cookie and sends the browser to a clean address", async () => {
    const { status, headers } = await get(`/?token=${TOKEN}`, {});
    expect(status).toBe(303);
    expect(headers.location).toBe("/");
    expect(headers["set-cookie"]).toEqual([`skep_token_${server.port}=${TOKEN}; Path=/; HttpOnly; SameSite=Strict`]);
    expect((await get("/api/info", cookie)).status).toBe(200);
    expect((await get("/?token=wrong", cookie)).status).toBe(401);
  });

  it("answers 404 for unknown paths and methods only to those who may ask", async () => {
    expect((await get("/nowhere")).status).toBe(404);
    expect((await ask(server.port, "POST", "/api/info", BEARER)).status).toBe(404);
    expect((await get("/%zz")).status).toBe(400);
  });

  it("refuses a Host that is not ours, whatever else the request has", async () => {
    const port = server.port;
    const foreign = ["evil.example", `evil.example:${port}`, `127.0.0.1:${port + 1}`, "127.0.0.1", `[::2]:${port}`];
    for (const host of [...foreign, `127.0.0.1:${port}@evil.example`, `10.0.0.1:${port}`]) {
      expect({ host, status: (await get("/api/info", { ...BEARER, host })).status }).toEqual({ host, status: 421 });
    }
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`]) {
      expect({ host, status: (await get("/api/info", { ...BEARER, host })).status }).toEqual({ host, status: 200 });
    }
  });

  it("refuses a foreign Origin on every route, even with the token", async () => {
    const port = server.port;
    const origins = [
      "https://evil.example",
      "null",
      `https://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      "file://",
    ];
    for (const { method, url } of server.routes) {
      for (const origin of origins) {
        const { status, headers } = await ask(port, method, url.replace(":stream", "exec"), { ...BEARER, origin });
        expect({ url, origin, status }).toEqual({ url, origin, status: 403 });
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
    }
  });

  it("refuses a cross-origin POST although the browser sent the cookie along", async () => {
    const own = `http://127.0.0.1:${server.port}`;
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await ask(server.port, "POST", "/api/reload", { ...cookie, ...headers })).status;
    expect(await post({})).toBe(403);
    expect(await post({ origin: "https://evil.example" })).toBe(403);
    expect(await post({ origin: `http://127.0.0.1:${server.port + 1}`, "sec-fetch-site": "same-site" })).toBe(403);
    expect(await post({ origin: own, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await post({ "sec-fetch-site": "none" })).toBe(403);
    expect(backend.reloads).toBe(0);
    expect(await post({ origin: own })).toBe(204);
    expect(await post({ origin: own, "sec-fetch-site": "same-origin" })).toBe(204);
    expect((await ask(server.port, "POST", "/api/reload", BEARER)).status).toBe(204);
    expect(backend.reloads).toBe(3);
  });

  it("refuses what another page embeds, but lets a person follow a link", async () => {
    const embed = { ...cookie, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" };
    expect((await get("/api/rows/exec", embed)).status).toBe(403);
    expect((await get("/", { ...embed, "sec-fetch-mode": "navigate" })).status).not.toBe(403);
  });

  it("sends headers that keep others from framing, sniffing, sharing and learning the address", async () => {
    for (const path of ["/", "/api/info", "/nowhere", "/metrics"]) {
      const { headers } = await get(path);
      expect(headers["content-security-policy"]).toMatch(/^default-src 'self';.*frame-ancestors 'none'/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["referrer-policy"]).toBe("no-referrer");
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    }
    expect((await get("/api/info")).headers["cache-control"]).toBe("no-store");
  });
});

describe("where it listens", () => {
  it("refuses an address other than loopback without TLS and says what to do", async () => {
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org"]) {
      await expect(start({ host })).rejects.toMatchObject({
        code: "ERR_BIND_REFUSED",
        message: expect.stringMatching(/without TLS.*certificate.*127\.0\.0\.1/),
      });
    }
  });

  it("names the port that is in use and what to do", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      code: "ERR_ADDRESS_IN_USE",
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*another port`)),
    });
    other.close();
  });

  it("refuses a token that could be guessed or would not survive an address", async () => {
    await expect(start({ token: "short" })).rejects.toMatchObject({ code: "ERR_TOKEN" });
    await expect(start({ token: "semicolons; are not allowed" })).rejects.toMatchObject({ code: "ERR_TOKEN" });
  });

  it("serves under a configured name, with or without a proxy's port", async () => {
    await using named = await start({ names: ["skep.example.org"] });
    for (const host of ["skep.example.org", "skep.example.org:8443"]) {
      const origin = `https://${host}`;
      expect((await ask(named.port, "GET", "/api/info", { ...BEARER, host, origin })).status).toBe(200);
    }
    expect((await ask(named.port, "GET", "/api/info", { ...BEARER, host: "other.example.org" })).status).toBe(421);
  });

  it("says where a program on this machine reaches it", async () => {
    expect(server.localUrl).toBe(`http://127.0.0.1:${server.port}`);
    await using six = await start({ host: "::1" });
    expect(six.localUrl).toBe(`http://[::1]:${six.port}`);
    expect((await fetch(`${six.localUrl}/api/info`, { headers: BEARER })).status).toBe(200);
  });

  describe("on all addresses, with TLS", () => {
    let folder: string;
    let tls: { key: string; cert: string };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "skep-web-"));
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      await promisify(execFile)("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=skep"],
        ...["-keyout", key, "-out", cert],
      ]);
      tls = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
    });

    afterAll(() => rm(folder, { recursive: true }));

    /** Status and cookie of a request to a URL, with another Host when given. */
    function visit(url: string, host?: string): Promise<(number | string | undefined)[]> {
      return new Promise((resolve, reject) => {
        const headers = host === undefined ? {} : { host };
        secureRequest(url, { headers, rejectUnauthorized: false, agent: false })
          .on("response", (answer) => resolve([answer.resume().statusCode, answer.headers["set-cookie"]?.[0]]))
          .on("error", reject)
          .end();
      });
    }

    const ownAddresses = (): string[] =>
      Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ address }) => !address.startsWith("fe80"))
        .map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address));

    it("prints an address that signs in, and one for programs here", async () => {
      for (const host of ["0.0.0.0", "::"]) {
        await using secure = await start({ host, tls });
        expect(secure.host).toBe(host);
        expect(secure.address).not.toContain(host === "::" ? "[::]" : host);
        const [status, cookie] = await visit(secure.address);
        expect(status).toBe(303);
        expect(cookie).toMatch(/; Secure$/);
        expect(secure.localUrl).toBe(`https://${host === "::" ? "[::1]" : "127.0.0.1"}:${secure.port}`);
        expect(await visit(`${secure.localUrl}/api/info`)).toEqual([401, undefined]);
      }
    });

    it("serves by each of the machine's addresses, by whichever a request comes, and by no other", async () => {
      await using secure = await start({ host: "::", tls });
      for (const host of ownAddresses()) {
        expect([host, ...(await visit(`https://127.0.0.1:${secure.port}/api/info`, `${host}:${secure.port}`))]).toEqual(
          [host, 401, undefined],
        );
      }
      for (const host of ["10.255.255.1", "0.0.0.0", "[::]", "[2001:db8::1]", "evil.example"]) {
        const [status] = await visit(`https://127.0.0.1:${secure.port}/api/info`, `${host}:${secure.port}`);
        expect([host, status]).toEqual([host, 421]);
      }
    });

    it("serves under the name that it was told to listen on", async () => {
      // What the resolver makes an address of, as it does of any name, without asking a network.
      await using named = await start({ host: "0x7f.1", tls });
      expect(await visit(`${named.localUrl}/api/info`, `0x7f.1:${named.port}`)).toEqual([401, undefined]);
    });

    it("prints the name that was given", async () => {
      await using secure = await start({ host: "0.0.0.0", tls, names: ["Skep.example.org"] });
      expect(secure.address).toBe(`https://skep.example.org:${secure.port}/?token=${TOKEN}`);
    });
  });

  it("says how to build the page when it is not built", async () => {
    await using bare = await start({ page: new URL("file:///nonexistent/") });
    const { status, body } = await ask(bare.port, "GET", "/", BEARER);
    expect(status).toBe(503);
    expect(body).toContain("npm run build:page");
  });
});

describe("rows", () => {
  const row = (pid: number): object => ({
    time: 1_780_000_000_000_000 + pid,
    pid,
    comm: pid % 2 === 0 ? "even" : "odd",
    cgroup: 2n ** 60n + 1n,
  });

  it("gives stored rows as NDJSON, newest first, with exact 64-bit integers", async () => {
    backend.add("exec", [row(1), row(2), row(3)]);
    const { body, headers } = await get("/api/rows/exec?limit=2");
    expect(headers["content-type"]).toContain("application/x-ndjson");
    const lines = body.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).pid)).toEqual([3, 2]);
    expect(lines[0]).toContain('"cgroup":1152921504606846977');
    const before = await get(`/api/rows/exec?before=${1_780_000_000_000_002}`);
    expect(JSON.parse(before.body).pid).toBe(1);
  });

  it("answers 400 with the position for a filter that cannot be understood", async () => {
    for (const path of ["/api/rows/exec", "/api/rows/exec/live"]) {
      const { status, body } = await get(`${path}?where=${encodeURIComponent("comm = ")}`);
      expect(status).toBe(400);
      expect(JSON.parse(body).error).toMatchObject({ code: "ERR_WHERE", position: 7, message: expect.any(String) });
    }
  });

  it("answers 404 for a stream that is not there and 400 for parameters that are wrong", async () => {
    expect((await get("/api/rows/nothing")).status).toBe(404);
    expect((await get("/api/rows/nothing/live")).status).toBe(404);
    expect((await get("/api/rows/exec?limit=0")).status).toBe(400);
    expect((await get("/api/rows/exec?limit=many")).status).toBe(400);
    for (const query of ["limit=99999999999999999999999", "before=9007199254740993"]) {
      expect([query, (await get(`/api/rows/exec?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await get(`/api/overview?since=${2 ** 60}`)).status).toBe(400);
    expect((await get(`/api/rows/exec?limit=${Number.MAX_SAFE_INTEGER}`)).status).toBe(200);
    expect((await get("/api/rows/exec?wehre=x")).status).toBe(400);
  });

  it("streams the newest rows, then rows as they come, through the filter, with signs of life between", async () => {
    backend.add("exec", [row(1), row(2), row(4)]);
    const response = await open(server.port, "GET", "/api/rows/exec/live?backlog=1&where=comm%3Deven", BEARER);
    expect(response.headers["content-type"]).toContain("text/event-stream");
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const pids = (): number[] => [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? "").pid);
    await expect.poll(pids).toEqual([4]);
    backend.add("exec", [row(5), row(6)]);
    await expect.poll(pids).toEqual([4, 6]);
    await expect.poll(() => text).toContain(": still here\n\n");
    response.destroy();
    await expect.poll(() => backend.following).toBe(0);
  });

  it("does not gather rows for a client that does not read, and tells it how many it missed", async () => {
    const long = "x".repeat(4000);
    const response = await open(server.port, "GET", "/api/rows/exec/live?backlog=0", BEARER);
    response.pause();
    // Far more than the sockets' buffers take, so that the server has to wait for the client.
    for (let i = 0; i < 40; i++) {
      backend.add(
        "exec",
        Array.from({ length: 500 }, (_, pid) => ({ pid, filename: long })),
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.resume();
    await expect.poll(() => text, { timeout: 10_000 }).toContain("event: missed\n");
    const count = (): number => text.split("\ndata: {").length - 1;
    const missed = (): number =>
      [...text.matchAll(/^event: missed\ndata: (\d+)$/gm)].reduce((sum, [, rows]) => sum + Number(rows), 0);
    await expect.poll(() => count() + missed(), { timeout: 10_000 }).toBe(20_000);
    response.destroy();
  });

  it("ends live streams cleanly and at once when it closes", async () => {
    const response = await open(server.port, "GET", "/api/rows/exec/live", BEARER);
    const ended = new Promise((resolve, reject) => response.on("end", resolve).on("error", reject).resume());
    const started = performance.now();
    await server.close();
    await ended;
    expect(response.complete).toBe(true);
    expect(performance.now() - started).toBeLessThan(900);
    expect(backend.following).toBe(0);
  });
});

describe("stored rows that cannot be read", () => {
  const failing = (error: Error) =>
    Promise.resolve(
      (async function* (): AsyncGenerator<readonly string[]> {
        yield await Promise.reject(error);
      })(),
    );

  it("answers 503 with the reason when the store is busy, also when that shows with the first rows", async () => {
    const busy = Object.assign(new Error("all 8 connections are in use"), { code: "ERR_BUSY" });
    for (const query of [() => Promise.reject(busy), () => failing(busy)]) {
      backend.query = query;
      const { status, body } = await get("/api/rows/exec");
      expect(status).toBe(503);
      expect(JSON.parse(body)).toEqual({ error: { code: "ERR_BUSY", message: busy.message } });
    }
  });

  it("aborts the query of a client that went away, and reports nothing", async () => {
    const failures: unknown[] = [];
    await using other = await start({ onError: (error) => failures.push(error) });
    let signal: AbortSignal | undefined;
    backend.query = (_stream, options) => {
      signal = options.signal;
      return new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal?.reason)));
    };
    const client = new AbortController();
    const request = fetch(`${other.localUrl}/api/rows/exec`, { headers: BEARER, signal: client.signal });
    await expect.poll(() => signal).toBeDefined();
    client.abort();
    await expect(request).rejects.toThrow("aborted");
    await expect.poll(() => signal?.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failures).toEqual([]);
  });

  it("lets an answer under way end when the server closes", async () => {
    let proceed = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    backend.query = async (_stream, { signal }) =>
      (async function* () {
        yield ["{}"];
        await waiting;
        signal.throwIfAborted();
        yield ["[]"];
      })();
    const response = await open(server.port, "GET", "/api/rows/exec", BEARER);
    let text = "";
    const ended = new Promise((resolve, reject) => response.on("end", resolve).on("error", reject));
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const closed = server.close();
    setTimeout(proceed, 100);
    await ended;
    await closed;
    expect(text).toBe("{}\n[]\n");
  });
});

describe("the rest of the API", () => {
  it("gives info, streams, workloads, the ledger, and all of it at once", async () => {
    backend.hosted = [
      {
        kind: "Collector",
        name: "exec",
        labels: {},
        status: {
          phase: "Running",
          generation: 1,
          conditions: [{ type: "Ready", status: "True", reason: "Running", message: "", since: new Date(0) }],
        },
      },
    ];
    const json = async (path: string): Promise<Record<string, unknown>> => JSON.parse((await get(path)).body);
    expect(await json("/api/info")).toMatchObject({ node: "willow", recording: false });
    expect(await json("/api/streams")).toMatchObject([{ schema: { name: "exec" } }, { schema: { name: "exec_exit" } }]);
    expect(await json("/api/workloads")).toMatchObject([
      { kind: "Collector", status: { conditions: [{ since: "1970-01-01T00:00:00.000Z" }] } },
    ]);
    expect(await json("/api/ledger")).toMatchObject([{ stream: "exec" }, { stream: "exec_exit" }]);
    expect(await json("/api/overview")).toMatchObject({ info: {}, streams: {}, workloads: {}, ledgers: {}, rates: {} });
  });

  it("gives metrics in Prometheus' format", async () => {
    const { body, headers } = await get("/metrics");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(body).toContain('skep_rows_total{stream="exec"} 3');
  });

  it("reports a reload that was refused", async () => {
    backend.reloadError = Object.assign(new Error("exec.yaml: spec.object: no such file"), {
      code: "ERR_INVALID_VALUE",
    });
    const { status, body } = await ask(server.port, "POST", "/api/reload", BEARER);
    expect(status).toBe(400);
    expect(JSON.parse(body).error.message).toContain("exec.yaml");
  });

  it("reports what failed inside to its host and answers 500", async () => {
    const failures: [unknown, string][] = [];
    await using other = await start({ onError: (error, request) => failures.push([error, request]) });
    const failure = new Error("the store is gone");
    backend.query = () => Promise.reject(failure);
    expect((await ask(other.port, "GET", "/api/rows/exec", BEARER)).status).toBe(500);
    expect(failures).toEqual([[failure, "GET /api/rows/exec"]]);
  });
});
