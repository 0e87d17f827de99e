// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import { StoreInUseError } from "../errors.ts";
import { RowHub } from "../row-hub.ts";
import type { RowSchema } from "../row-schema.ts";
import { EmbeddedPostgres } from "./embedded-postgres.ts";
import { removeStore } from "./remove-store.ts";
import { openStore } from "./row-store.ts";

const schema: RowSchema = { name: "s", columns: [{ name: "id", type: "u32" }] };

/** Opens a store, tells its lines, and writes rows until it is killed; each line is a number that is stored. */
const OWNER = `
import { openStore, RowHub, batchOf } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
const schema = ${JSON.stringify(schema)};
console.log("opening");
const store = await openStore({ data: process.argv[1] }, { owner: "skep up" });
const hub = new RowHub({ sinks: [store.sink()] });
const stream = hub.open(schema, { workload: "w" });
for (let id = 0; ; id++) {
  stream.write(batchOf(schema, { node: "n", workload: "w" }, [{ id }]));
  await stream.flush();
  console.log(id);
}
`;

let folder: string;
let data: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-store-"));
  chmodSync(folder, 0o711);
  data = join(folder, "data");
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await vi.waitFor(() => expect(servers()).toEqual([]), { timeout: 10_000 });
  rmSync(folder, { recursive: true });
});

/** Starts an owner of the data folder, by way of another program when given one. */
function startOwner(prefix: readonly string[] = []): { child: ChildProcess; lines: AsyncIterator<string> } {
  const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", OWNER, data];
  const [program = "", ...args] = [...prefix, ...node];
  const child = spawn(program, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
}

/** Process ids of the PostgreSQL programs that run from the data folder. */
function servers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/exe`).startsWith(`${data}/`);
      } catch {
        // It ended meanwhile, or it is the kernel's.
        return false;
      }
    });
}

async function storedIds(): Promise<number[]> {
  await using store = await openStore({ data });
  const ids: number[] = [];
  for await (const rows of store.query("s")) ids.push(...rows.map(({ id }) => Number(id)));
  return ids;
}

describe("the owner of a data folder", () => {
  it("is the only one: a second is refused and told who it is, also one that would remove the rows", async () => {
    const { child, lines } = startOwner();
    while ((await lines.next()).value !== "3");
    const refusal = await openStore({ data }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreInUseError);
    expect(refusal).toMatchObject({
      processId: child.pid,
      message: `data folder ${data} is in use by process ${child.pid} (skep up)`,
    });
    expect(() => removeStore(data)).toThrow(`in use by process ${child.pid} (skep up)`);
    expect(existsSync(join(data, "pg", "PG_VERSION"))).toBe(true);
  });

  it("may be gone while its server is not: the rows are not removed under that", async () => {
    const postgres = await EmbeddedPostgres.open(data);
    // As if the owner had been killed this moment: its lock is free, its server still shutting down.
    rmSync(join(data, "lock"));
    expect(() => removeStore(data)).toThrow(`in use by process ${postgres.processId} (PostgreSQL)`);
    await postgres.stop();
    expect(removeStore(data)).toContain(data);
    expect(existsSync(data)).toBe(false);
  });

  it("leaves no server behind when it is killed, and its rows are there for the next", async () => {
    for (const last of ["0", "20"]) {
      const { child, lines } = startOwner();
      let line = "";
      while (line !== last) line = (await lines.next()).value ?? "";
      expect(servers()).not.toEqual([]);
      child.kill("SIGKILL");
      await once(child, "exit");
      let confirmed = Number(line);
      for await (const rest of { [Symbol.asyncIterator]: () => lines }) confirmed = Number(rest);
      await vi.waitFor(() => expect(servers()).toEqual([]), { timeout: 2000 });
      const ids = await storedIds();
      expect(new Set(ids).size).toBeGreaterThan(confirmed);
    }
    expect(servers()).toEqual([]);
  });

  it("may be killed while it makes the folder; the next makes it again", async () => {
    for (const delay of [50, 300, 700]) {
      const { child, lines } = startOwner();
      await lines.next();
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await using store = await openStore({ data });
    expect(readdirSync(data).filter((name) => name.includes(".new"))).toEqual([]);
    await using hub = new RowHub({ sinks: [store.sink()] });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batchOf(schema, { node: "n", workload: "w" }, [{ id: 1 }]));
    await stream.flush();
    expect((await store.streams())[0]?.rows).toBeGreaterThan(0);
  });

  it("stops its server and gives the folder up", async () => {
    const postgres = await EmbeddedPostgres.open(data);
    expect(postgres.processId).toBeTypeOf("number");
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(servers()).toEqual([]);
    expect(existsSync(join(data, "pg", "postmaster.pid"))).toBe(false);
    await (await EmbeddedPostgres.open(data)).stop();
  });

  it("stops a server that its killed owner could not take along", async () => {
    const first = await EmbeddedPostgres.open(data);
    const [program = "", ...args] = readFileSync(`/proc/${first.processId}/cmdline`, "utf8").split("\0").slice(0, -1);
    await first.stop();
    // The same server, that no signal of the kernel ends.
    const asNobody = process.getuid?.() === 0 ? ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] : [];
    const stale = spawn("setpriv", [...asNobody, "--", program, ...args], { cwd: data, stdio: "ignore" });
    children.push(stale);
    await vi.waitFor(() => expect(readFileSync(join(data, "pg", "postmaster.pid"), "utf8")).toContain("ready"));
    const exit = once(stale, "exit");
    await using second = await EmbeddedPostgres.open(data);
    await exit;
    expect(second.processId).not.toBe(stale.pid);
  });
});

describe("the server", () => {
  it("lets nobody in but its owner, and listens on no port", async () => {
    await using postgres = await EmbeddedPostgres.open(data);
    const sockets = execFileSync("ss", ["-Htlnp"], { encoding: "utf8" });
    expect(sockets).not.toContain(`pid=${postgres.processId},`);
    const psql = ["-h", join(data, "pg"), "-U", "skep", "-Atc", "select current_user", "postgres"];
    expect(execFileSync("psql", psql, { encoding: "utf8" })).toBe("skep\n");
    if (process.getuid?.() !== 0) return;
    // nobody is who it runs as: it passes the folder, and is turned away by name.
    const asNobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "psql", ...psql];
    expect(() => execFileSync("setpriv", asNobody, { stdio: "pipe" })).toThrow("Peer authentication failed");
    const asDaemon = ["--reuid=daemon", "--regid=daemon", "--clear-groups", "psql", ...psql];
    expect(() => execFileSync("setpriv", asDaemon, { stdio: "pipe" })).toThrow("Permission denied");
  });

  it("holds no capabilities", async () => {
    await using postgres = await EmbeddedPostgres.open(data);
    const status = readFileSync(`/proc/${postgres.processId}/status`, "utf8");
    expect(status).toMatch(/CapPrm:\s0+\nCapEff:\s0+\n/);
    expect(status).toMatch(/NoNewPrivs:\s1/);
  });

  it("works in a folder whose path is too long for a socket", async () => {
    data = join(folder, ...Array.from({ length: 5 }, () => "x".repeat(40)), "data");
    await using store = await openStore({ data });
    await using hub = new RowHub({ sinks: [store.sink()] });
    const stream = hub.open(schema, { workload: "w" });
    stream.write(batchOf(schema, { node: "n", workload: "w" }, [{ id: 7 }]));
    await stream.flush();
    // The query is left unfinished: closing the store ends it.
    expect((await store.query("s").next()).value).toMatchObject([{ id: 7 }]);
  });

  it("runs for a user that is not root", async (context) => {
    if (process.getuid?.() !== 0) context.skip("another user needs root to become");
    mkdirSync(data);
    chownSync(data, 1, 1);
    const { lines } = startOwner(["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups"]);
    while ((await lines.next()).value !== "1");
    const [pid] = servers();
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/Uid:\s1\s1\s1\s1/);
  });
});

describe("a data folder", () => {
  it("of a user without an account is refused with what to do", async (context) => {
    if (process.getuid?.() !== 0) context.skip("another user needs root to become");
    mkdirSync(data);
    chownSync(data, 54_321, 54_321);
    const script = `
      import { openStore } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
      await openStore({ data: process.argv[1] }).catch((error) => console.log(error.name + ": " + error.message));`;
    const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", script, data];
    const asStranger = ["--reuid=54321", "--regid=54321", "--clear-groups", "--", ...node];
    const output = execFileSync("setpriv", asStranger, { cwd: import.meta.dirname, encoding: "utf8" });
    expect(output).toBe(
      "StoreError: PostgreSQL runs only for users with an account, and user id 54321 has none; " +
        "add it to /etc/passwd, or store rows in a PostgreSQL elsewhere (--store URL)\n",
    );
  });

  it("of another major version is left alone", async () => {
    mkdirSync(join(data, "pg"), { recursive: true });
    chmodSync(data, 0o711);
    writeFileSync(join(data, "pg", "PG_VERSION"), "17\n");
    await expect(openStore({ data })).rejects.toThrow(
      `${data}/pg was made by PostgreSQL 17, this is PostgreSQL 18; choose`,
    );
    expect(readFileSync(join(data, "pg", "PG_VERSION"), "utf8")).toBe("17\n");
  });

  it("behind a folder that PostgreSQL cannot enter is shown to it elsewhere, and ends with its owner there too", async (context) => {
    if (process.getuid?.() !== 0) context.skip("only root runs PostgreSQL as another user");
    const closed = join(folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const inside = join(closed, "data");
    for (let round = 1; round <= 2; round++) {
      await using store = await openStore({ data: inside });
      await using hub = new RowHub({ sinks: [store.sink()] });
      const stream = hub.open(schema, { workload: "w" });
      stream.write(batchOf(schema, { node: "n", workload: "w" }, [{ id: round }]));
      await stream.flush();
      let stored = 0;
      for await (const rows of store.query("s")) stored += rows.length;
      expect(stored).toBe(round);
    }
    expect(removeStore(inside).length).toBeGreaterThan(0);
  });

  it("behind a closed folder is refused without the right to mount, naming the folder", () => {
    const closed = join(folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const script = `
      import { openStore } from "@skep/rows";
      await openStore({ data: process.argv[1] }).catch((error) => console.log(error.message));`;
    const node = [
      process.execPath,
      "--conditions=skep-source",
      "--input-type=module",
      "-e",
      script,
      join(closed, "data"),
    ];
    const said = execFileSync("setpriv", ["--bounding-set=-sys_admin", ...node], { encoding: "utf8" });
    expect(said).toContain(
      `cannot enter ${closed} of the data folder's path ${closed}/data; run "chmod o+x ${closed}"`,
    );
  });
});
