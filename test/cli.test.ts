// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { readRecording } from "@skep/ebpf";
import { repository, SkepProcess, skepArguments, TempFolder, waitUntil } from "@skep/testbed";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);

/** Generous, for these run side by side: what hangs, hangs for ever. */
const PATIENCE = 30_000;
const object = `${repository}packages/collector/collectors/exec/exec.bpf.o`;

/** A PostgreSQL that is not there: port 1 refuses. */
const DEAD_STORE = "postgres://nobody@127.0.0.1:1/none";

function manifest(name: string, path = object): string {
  const spec = { object: path, streams: [{ name, map: "execs" }] };
  return JSON.stringify({ apiVersion: "skep/v1alpha1", kind: "Collector", metadata: { name }, spec });
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command and what it printed; ended with all that it started when disposed. */
class Command implements Disposable {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    // A process group of its own.
    this.child = spawn(file, args, { env: { ...process.env, ...env }, detached: true });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  /** `skep` from source. */
  static skep(args: readonly string[], env?: Readonly<Record<string, string>>): Command {
    return new Command(process.execPath, [...skepArguments, ...args], env);
  }

  /** A shell's script; `$SKEP` in it stands for `skep`. */
  static shell(script: string): Command {
    const skep = [process.execPath, ...skepArguments].map((part) => `'${part}'`).join(" ");
    return new Command("/bin/sh", ["-c", script.replaceAll("$SKEP", skep)]);
  }

  /** Waits for the end; one that does not come is made to come, and gives the code null. */
  async end(): Promise<Ended> {
    const timer = setTimeout(() => this[Symbol.dispose](), PATIENCE);
    const [code] = (await once(this.child, "close")) as [number | null];
    clearTimeout(timer);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  [Symbol.dispose](): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch (error) {
      // ESRCH: all of it has ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Runs `skep` to its end. */
async function skep(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> {
  using command = Command.skep(args, env);
  return await command.end();
}

async function execute(count: number): Promise<void> {
  await run("/bin/sh", ["-c", `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i+1)); done`]);
}

describe.concurrent("skep run", () => {
  it("ends with the reason when nothing that it was given can run", async () => {
    using folder = new TempFolder();
    execFileSync("mkfifo", [folder.join("pipe.o")]);
    writeFileSync(folder.join("gone.json"), manifest("gone", "gone.o"));
    writeFileSync(folder.join("waits.json"), manifest("waits", "pipe.o"));
    const failed = await skep(["run", "-f", folder.path]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^skep: gone: .*gone\.o: ENOENT/m);
    expect(failed.stderr).toMatch(/^waits: .*pipe\.o: it is a pipe, wanted a regular file$/m);

    const comments = folder.join("comments.yaml");
    writeFileSync(comments, "# nothing\n");
    const { code, stderr } = await skep(["run", "-f", comments]);
    expect(code).toBe(1);
    expect(stderr).toBe(`skep: ${comments}: found no manifest, wanted at least one\n`);
  });

  it("ends when its reader has seen enough", async () => {
    using folder = new TempFolder();
    const file = folder.join("one.json");
    writeFileSync(file, manifest("one"));
    const busy = setInterval(() => void execute(1), 50);
    try {
      using pipeline = Command.shell(`($SKEP run -f ${file} -o json; echo "code $?" >&2) | head -1`);
      const { code, stdout, stderr } = await pipeline.end();
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ workload: "one" });
      expect(stderr).toContain("code 0\n");
      expect(stderr).not.toContain("EPIPE");
    } finally {
      clearInterval(busy);
    }
  });

  it("does not fill memory for a reader that stands still, ends at SIGINT all the same, and tells what that lost", async () => {
    using folder = new TempFolder();
    const file = folder.join("one.json");
    writeFileSync(file, manifest("one"));
    const pidFile = folder.join("pid");
    using still = Command.shell(
      `($SKEP run -f ${file} -o json & echo $! >${pidFile}; wait $!; echo "code $?" >&2) | sleep 60`,
    );
    await waitUntil("the start", () => /started/.test(still.stderr), PATIENCE);
    await execute(600);
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGINT");
    await waitUntil("the end", () => /code \d+/.test(still.stderr), PATIENCE / 2);
    expect(still.stderr).toMatch(/\d+ rows of one lost on the way to output/);
    expect(still.stderr).toContain("code 1\n");
  });

  it("keeps what standard input held over a reload", async () => {
    using piped = Command.skep(["run", "-f", "-", "-o", "json"]);
    piped.child.stdin?.end(manifest("piped"));
    await waitUntil("the start", () => /started/.test(piped.stderr), PATIENCE);
    piped.child.kill("SIGHUP");
    await sleep(200);
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag]);
    await waitUntil("a row after the reload", () => piped.stdout.includes(tag));
    expect(piped.stderr).not.toContain("reload failed");
    piped.child.kill("SIGINT");
    expect((await piped.end()).code).toBe(0);
  });

  it("leaves a recording that can be played when the disk is full, and an old one alone when it does not start", async () => {
    using folder = new TempFolder();
    const file = folder.join("one.json");
    writeFileSync(file, manifest("one"));
    const kept = folder.join("kept");
    writeFileSync(kept, "an older recording");
    const bad = folder.join("bad.json");
    writeFileSync(bad, manifest("bad").replace('"execs"', '"nothing"'));
    expect((await skep(["run", "-f", bad, "--record", kept])).code).toBe(1);
    expect(readFileSync(kept, "utf8")).toBe("an older recording");

    const disk = folder.join("disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    try {
      const recording = skep(["run", "-f", file, "--record", `${disk}/r`, "-o", "json"]);
      await waitUntil("the recording", () => existsSync(`${disk}/r`), PATIENCE);
      // In parts: of a batch that the disk has no room for nothing is kept, and one of all would leave an empty recording.
      for (let part = 0; part < 20; part++) await execute(30);
      const { code, stderr } = await recording;
      expect(code).toBe(1);
      expect(stderr).toContain(`skep: recording to ${disk}/r broke off: ENOSPC`);
      const bytes = readFileSync(`${disk}/r`);
      expect(bytes.length).toBeGreaterThan(20_000);
      expect(() => readRecording(bytes)).not.toThrow();
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe.concurrent("skep up", () => {
  it("stores what it observed although nobody reads its output any more", async () => {
    using folder = new TempFolder();
    const data = folder.join("data");
    using unread = Command.skep(["up", "--data", data, "--port", "0"]);
    const { child } = unread;
    await waitUntil("its first words", () => unread.stdout !== "", PATIENCE);
    child.stdout?.destroy();
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag]);
    child.kill("SIGINT");
    const { code, stderr } = await unread.end();
    expect(code).toBe(0);
    expect(stderr).not.toContain("EPIPE");

    const where = ["--where", `args contains "${tag}"`, "--data", data];
    const { stdout } = await skep(["rows", "exec", ...where], { TZ: "Pacific/Kiritimati" });
    const day = new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
    expect(stdout.split("\n")[0]).toMatch(new RegExp(`^${day}  +node`));
    // What a killed `skep up` may leave: the number of a process that is another one by now.
    writeFileSync(`${data}/endpoint.json`, '{"pid":1,"url":"http://127.0.0.1:9","token":"x"}');
    const cleaned = await skep(["clean", "--data", data]);
    expect(cleaned).toEqual({ code: 0, stdout: `removed ${data}/endpoint.json\n`, stderr: "" });
    expect((await skep(["clean", "--rows", "--data", data])).code).toBe(0);
    expect(existsSync(data)).toBe(false);
  });

  it("has its data folder for itself, also with a store elsewhere, and tells at the end which rows never got there", async () => {
    using folder = new TempFolder();
    const args = ["up", "--data", folder.path, "--port", "0", "--store", DEAD_STORE];
    await using up = new SkepProcess(args);
    await up.waitFor(/Ctrl-C ends it/);
    await run("/bin/true", []);
    for (const command of [args, ["clean", "--rows", "--data", folder.path]]) {
      const { code, stderr } = await skep(command);
      expect(code).toBe(1);
      expect(stderr).toContain(`data folder ${folder.path} is in use by process ${up.child.pid} (skep up)`);
    }
    expect(existsSync(folder.join("endpoint.json"))).toBe(true);
    expect(await up.stop()).toBe(1);
    expect(up.output).toMatch(/skep: \d+ rows? of exec lost on the way to .*: .*127\.0\.0\.1:1/);
    expect(existsSync(folder.join("endpoint.json"))).toBe(false);
  });

  it("can be ended while it waits for standard input", async () => {
    using folder = new TempFolder();
    const args = ["up", "--data", folder.path, "--port", "0", "--store", DEAD_STORE, "-f", "-"];
    using waiting = Command.skep(args);
    await waitUntil("the server", () => existsSync(folder.join("endpoint.json")), PATIENCE);
    waiting.child.kill("SIGINT");
    expect(await waiting.end()).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("answers skep rows under a certificate that nobody else trusts", async () => {
    using folder = new TempFolder();
    const [cert, key] = [folder.join("cert.pem"), folder.join("key.pem")];
    const subject = ["-subj", "/CN=elsewhere.example", "-days", "1", "-nodes"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    await run("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert]);
    const data = folder.join("data");
    await using up = new SkepProcess([
      "up",
      "--data",
      data,
      "--port",
      "0",
      "--host",
      "0.0.0.0",
      "--tls-cert",
      cert,
      "--tls-key",
      key,
    ]);
    await up.waitFor(/https:\/\/\S+\?token=\S+/);
    const tag = randomBytes(12).toString("hex");
    await run("/bin/true", [tag]);
    const where = `filename = "/bin/true" and args contains "${tag}"`;
    const rows = await waitUntil("the row", async () => {
      const { stdout } = await skep(["rows", "exec", "--data", data, "-o", "json", "--where", where]);
      return stdout === "" ? undefined : stdout;
    });
    expect(rows.trim().split("\n").length).toBe(1);
    // A server that hangs is named, with what to do about it.
    const { pid, url } = JSON.parse(readFileSync(`${data}/endpoint.json`, "utf8")) as { pid: number; url: string };
    writeFileSync(`${data}/endpoint.json`, JSON.stringify({ pid, url: "http://127.0.0.1:1", token: "x" }));
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { code, stderr } = await skep(["rows", "exec", "--data", data]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^skep: no answer from .* at http://127.0.0.1:1 \\(process ${pid}\\): .*ECONNREFUSED.*\n$`),
    );
    expect(await up.stop()).toBe(0);
  });
});

describe.concurrent("the other commands", () => {
  it("neither make nor remove anything in a folder that is no store", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("thesis.tex"), "years of work");
    for (const args of [
      ["rows", "exec"],
      ["clean", "--rows"],
    ]) {
      const { code, stderr } = await skep([...args, "--data", folder.path]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^skep: [^\n]*\n$/);
    }
    expect(readdirSync(folder.path)).toEqual(["thesis.tex"]);
  });

  it("show the names in a hostile object, and do not obey them", async () => {
    using folder = new TempFolder();
    const file = folder.join("hostile.o");
    const bytes = readFileSync(object);
    const license = bytes.indexOf("Dual BSD/GPL\0");
    expect(license).toBeGreaterThan(0);
    bytes.write("\x1b[2J\x9b31m", license, "latin1");
    // One name or another of the string tables, wherever it stands.
    for (let at = bytes.indexOf("on_exec"); at !== -1; at = bytes.indexOf("on_exec", at))
      bytes.write("\x1b[2J", at, "latin1");
    writeFileSync(file, bytes);
    for (const command of ["inspect", "disasm"]) {
      const { stdout, stderr } = await skep(["bpf", command, file]);
      expect(stdout + stderr).toContain("\\x1b[2J");
      expect(stdout + stderr).not.toContain("\x1b");
      expect(stdout + stderr).not.toContain("\x9b");
    }
  });
});
