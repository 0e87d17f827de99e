// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Collection, type CollectionSpec, load, parseObject } from "@skep/ebpf";
import { KernelEngine, openPinnedMap } from "@skep/kernel";
import { detachedMount, inNetworkNamespace, possibleCpus } from "@skep/linux";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parse as parseYaml } from "yaml";
import { MapView } from "../bpf/map-view.ts";
import { watchMap } from "../bpf/watch-map.ts";
import { program } from "../program.ts";
import { bpfNet } from "./bpf-net.ts";

let collection: Collection;
let printed = "";

function object(name: string): CollectionSpec {
  return parseObject(readFileSync(new URL(`../../../kernel/test-objects/${name}.bpf.o`, import.meta.url)));
}

beforeAll(() => {
  collection = load(object("maps"), { engine: new KernelEngine() });
});
afterAll(() => collection.close());

beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text, ...rest: unknown[]) => {
    printed += String(text);
    for (const each of rest) if (typeof each === "function") each();
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A network namespace of the test's own. */
class TestNamespace implements Disposable {
  readonly #name = `skep-${process.pid}-verbs`;
  readonly path: string = `/run/netns/${this.#name}`;

  constructor() {
    execFileSync("ip", ["netns", "add", this.#name]);
  }

  [Symbol.dispose](): void {
    execFileSync("ip", ["netns", "delete", this.#name]);
  }
}

/** What a command prints, in the test's own process. */
async function skep(...args: readonly string[]): Promise<string> {
  printed = "";
  await program().parseAsync(["bpf", ...args], { from: "user" });
  return printed;
}

/** What `skep bpf net` prints in a network namespace, where this thread is until it has asked the kernel. */
async function netIn(netns: string): Promise<string> {
  printed = "";
  await inNetworkNamespace(netns, () => bpfNet({ output: "table" }));
  return printed;
}

/** The same, of one that prints JSON. */
async function json(...args: readonly string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse(await skep(...args, "-o", "json")) as Record<string, unknown>[];
}

/** The id of the only map or program of this process with a name: other tests may have left some of the same. */
async function idOf(kind: "map" | "prog", name: string): Promise<string> {
  const listed = await json(kind, "list");
  const own = listed.filter(
    (each) =>
      each.name === name && (each.processes as readonly { pid: number }[]).some(({ pid }) => pid === process.pid),
  );
  expect(own).toHaveLength(1);
  return String(own[0]?.id);
}

describe("skep bpf prog", () => {
  it("lists a program with the maps that it uses and the process that holds it", async () => {
    const id = await idOf("prog", "count_here");
    expect(await skep("prog", "list")).toMatch(
      new RegExp(`^${id} +socket_filter +count_here +[0-9a-f]{16} +\\d+s +\\d+ \\d+ +node\\(${process.pid}\\)$`, "m"),
    );
    const shown = await skep("prog", "show", id);
    expect(shown).toMatch(/^maps +percpu_array \(\d+\), \.rodata \(\d+\)$/m);
    expect(shown).toMatch(new RegExp(`^processes +node \\(${process.pid}\\)$`, "m"));
    const loaded = Date.parse(String(((await json("prog", "show", id)) as unknown as { loaded: string }).loaded));
    expect(Math.abs(Date.now() - loaded)).toBeLessThan(60_000);
  });

  it("counts runs when it is asked to", async () => {
    const id = Number(await idOf("prog", "count_here"));
    const run = (): unknown => collection.program("count_here").program.run?.({ data: new Uint8Array(64) });
    const timer = setTimeout(() => [run(), run(), run()], 20);
    const [program] = (await json("prog", "list", "--stats", "100ms")).filter((each) => each.id === id);
    clearTimeout(timer);
    expect(program).toMatchObject({ runs: 3 });
  });

  it("dumps the instructions with the lines of C, or the machine code", async () => {
    const id = await idOf("prog", "count_here");
    const text = await skep("prog", "dump", id);
    expect(text).toMatch(/; value->packets\+\+;.*\n +\d+: \(79\) r1 = \*\(u64 \*\)\(r0 \+0\)/);
    expect(text).toContain("r1 = map[percpu_array]");
    expect(text).not.toContain("invalid");
    expect(await skep("prog", "dump", id, "--jited")).toMatch(/^0000: (?:[0-9a-f]{2} ){15}[0-9a-f]{2}\n0010: /);
  });

  it("says what may have been meant", async () => {
    await expect(skep("prog", "show", "cuont_here")).rejects.toThrow('no program is called "cuont_here"; did you mean');
    // The kernel's ids have 32 bits: this is not the program whose id the lower ones are.
    const beyond = String(2 ** 32 + Number(await idOf("prog", "count_here")));
    await expect(skep("prog", "show", beyond)).rejects.toThrow(`no program has the id ${beyond}`);
    await expect(skep("prog", "show", "1234567812345678")).rejects.toThrow('no program is called "1234567812345678"');
    await expect(skep("prog", "show", "4294967295")).rejects.toThrow("see `skep bpf prog list`");
    using _other = load(object("maps"), { engine: new KernelEngine(), programs: ["count_here"] });
    await expect(skep("prog", "show", "count_here")).rejects.toThrow(/"count_here" is \d+ programs: .*; say which/);
    await expect(skep("prog", "show", "/no/such/pin")).rejects.toThrow("ENOENT");
  });
});

describe("skep bpf map", () => {
  it("writes, reads and deletes by the types of the map", async () => {
    const id = await idOf("map", "hash");
    await skep("map", "set", id, "{id: 7, port: 80}", '{packets: 0x1000000000000000, balance: -3, name: "a b"}');
    expect(collection.map("hash").lookup({ id: 7, port: 80 })).toEqual({
      packets: 2n ** 60n,
      balance: -3,
      name: "a b",
    });
    expect(await skep("map", "get", id, "{port: 80, id: 7}")).toBe(
      '{packets: 1152921504606846976, balance: -3, name: "a b"}\n',
    );
    expect(await json("map", "dump", id)).toEqual([
      { key: { id: 7, port: 80 }, value: { packets: "1152921504606846976", balance: -3, name: "a b" } },
    ]);
    await skep("map", "set", id, "hex:0800000050000000", `hex:${"00".repeat(24)}`, "--create");
    expect(await skep("map", "dump", id)).toContain('{id: 8, port: 80}  {packets: 0, balance: 0, name: ""}\n');
    await skep("map", "delete", id, "{id: 8, port: 80}");
    await expect(skep("map", "delete", id, "{id: 8, port: 80}")).rejects.toThrow(/\(hash\) has no key \{id: 8/);
    await expect(skep("map", "get", id, "{id: 8, port: 80}")).rejects.toThrow("has no key");
  });

  it("refuses what does not fit, with the place", async () => {
    const id = await idOf("map", "hash");
    const key = "{id: 1, port: 1}";
    const set = (...args: readonly string[]): Promise<string> => skep("map", "set", id, ...args);
    await expect(set(key, "{packets: 1, balance: 3000000000, name: x}")).rejects.toThrow(
      'value: field "balance": 3000000000 does not fit into s32',
    );
    await expect(set("{id: 1, prt: 1}", "0")).rejects.toThrow("(hash), key: ");
    await expect(set("{id: 1", "0")).rejects.toThrow('(hash), key: {id: 1: at character 7, "}" is missing');
    await expect(set("hex:00", "0")).rejects.toThrow("(hash), key: ");
    await expect(set(key, "{packets: 1, balance: 3, name: x}", "--replace")).rejects.toThrow("ENOENT");
    await expect(set(key, "1", "--replace", "--create")).rejects.toThrow("--create or --replace");
    expect(await skep("map", "dump", id)).not.toContain("{id: 1,");
  });

  it("shows each CPU's value, and escapes what programs wrote", async () => {
    const id = await idOf("map", "percpu_array");
    await skep("map", "set", id, "5", '{packets: 1, balance: 2, name: "\\u001b[2J"}');
    expect(await skep("map", "get", id, "5")).toMatch(
      /^\[(?:\{packets: 1, balance: 2, name: "\\u001b\[2J"\}(?:, )?)+\]\n$/,
    );
    const cpus = (await json("map", "get", id, "5")) as unknown as { value: unknown[] };
    expect(JSON.parse(JSON.stringify(cpus.value))).toHaveLength(possibleCpus().length);
    // Bytes of a value go to every CPU, and to one among others.
    const bytes = `hex:0900000000000000${"00".repeat(16)}`;
    const list = [bytes, ...cpus.value.slice(1).map(() => "{packets: 4, balance: 0, name: y}")].join(", ");
    await skep("map", "set", id, "5", bytes);
    expect(await skep("map", "get", id, "5")).toMatch(/^\[\{packets: 9, .*packets: 9, .*\}\]\n$/);
    await skep("map", "set", id, "5", `[${list}]`);
    expect(await skep("map", "get", id, "5")).toMatch(/^\[\{packets: 9, .*packets: 4, .*\}\]\n$/);
    const constants = await idOf("map", ".rodata");
    expect(await skep("map", "dump", constants)).toBe("0  {constant: 7}\n");
    await expect(skep("map", "set", constants, "0", "{constant: 8}")).rejects.toThrow("(.rodata) is frozen");
  });

  it("dumps large maps in pieces that are one JSON text, one YAML text", async () => {
    const id = await idOf("map", "array");
    collection.map("array").update(300, { packets: 2n ** 63n, balance: 1, name: "a\nb" });
    const dumped = await json("map", "dump", id);
    expect(dumped).toHaveLength(512);
    expect(dumped[300]).toEqual({ key: 300, value: { packets: String(2n ** 63n), balance: 1, name: "a\nb" } });
    expect(vi.mocked(process.stdout.write).mock.calls.length).toBeLessThan(100);
    expect(printed).toBe(`${JSON.stringify(dumped, null, 2)}\n`);
    expect(parseYaml(await skep("map", "dump", id, "-o", "yaml"))).toEqual(dumped);
    const empty = await idOf("map", "percpu_hash");
    expect(await skep("map", "dump", empty, "-o", "json")).toBe("[]\n");
    expect(await skep("map", "dump", empty, "-o", "yaml")).toBe("[]\n");
  });

  it("watches what changes", async () => {
    const id = await idOf("map", "lru_hash");
    const map = collection.map("lru_hash");
    const value = { packets: 1n, balance: 2, name: "x" };
    map.update({ id: 1, port: 1 }, value);
    using view = new MapView(id);
    const interrupt = new AbortController();
    printed = "";
    const watching = watchMap(view, "json", 0.02, interrupt.signal);
    await vi.waitFor(() => expect(printed).toContain('"added"'));
    map.update({ id: 1, port: 1 }, { ...value, balance: 3 });
    await vi.waitFor(() => expect(printed).toContain('"changed"'));
    map.delete({ id: 1, port: 1 });
    await vi.waitFor(() => expect(printed).toContain('"removed"'));
    interrupt.abort();
    await watching;
    const rows = printed.trimEnd().split("\n");
    expect(rows.map((row) => JSON.parse(row))).toEqual([
      {
        time: expect.any(String),
        change: "added",
        key: { id: 1, port: 1 },
        value: { packets: 1, balance: 2, name: "x" },
      },
      expect.objectContaining({ change: "changed", value: { packets: 1, balance: 3, name: "x" } }),
      expect.objectContaining({ change: "removed", key: { id: 1, port: 1 } }),
    ]);
  });

  it("puts programs and maps into maps that hold them, and shows their ids", async () => {
    using special = load(object("maps-special"), { engine: new KernelEngine() });
    const [jumps, outer, queue] = [await idOf("map", "jumps"), await idOf("map", "outer"), await idOf("map", "queue")];
    const target = await idOf("prog", "target");
    await skep("map", "set", jumps, "3", target);
    expect(await skep("map", "get", jumps, "3")).toBe(`${target}\n`);
    await expect(skep("map", "set", jumps, "3", "traget")).rejects.toThrow('did you mean "target"?');
    const inner = await idOf("map", "first");
    await skep("map", "set", outer, "5", inner);
    expect(await skep("map", "dump", outer)).toMatch(new RegExp(`^hex:05000000 {2}${inner}$`, "m"));
    await expect(skep("map", "dump", queue)).rejects.toThrow("is of type queue, which has no entries with keys");
    special.close();
  });

  it("pins into a BPF file system, and says when there is none", async () => {
    const id = await idOf("map", "array");
    using mount = detachedMount("bpf");
    const path = `/proc/self/fd/${mount.number}/array`;
    await skep("map", "pin", id, path);
    openPinnedMap(path).close();
    expect(await skep("map", "show", path)).toMatch(new RegExp(`^id +${id}\\ntype +array\\nname +array$`, "m"));
    const folder = mkdtempSync(join(tmpdir(), "skep-pin-"));
    try {
      await expect(skep("map", "pin", id, join(folder, "array"))).rejects.toThrow("is in no BPF file system");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("skep bpf link, net and features", () => {
  it("shows, pins and detaches a link", async () => {
    using links = load(object("links-network"), {
      engine: new KernelEngine(),
      programs: ["dissect", "redirect_sockmap"],
    });
    using network = new TestNamespace();
    const netns = network.path;
    using link = links.program("dissect").attach({ netns });
    expect(await skep("link", "show", "dissect")).toMatch(/^attached to +netns \d+, flow_dissector$/m);
    const [listed] = (await json("link", "list")).filter(({ kind }) => kind === "netns");
    expect(listed).toMatchObject({ kind: "netns", processes: [{ pid: process.pid, name: "node" }] });
    expect(await netIn(netns)).toMatch(/flow_dissector +dissect +\d+ +\d+/);
    using mount = detachedMount("bpf");
    const [linkPin, programPin] = [`/proc/self/fd/${mount.number}/link`, `/proc/self/fd/${mount.number}/program`];
    await skep("link", "pin", String(listed?.id), linkPin);
    await skep("prog", "pin", "dissect", programPin);
    expect(await skep("link", "show", linkPin)).toMatch(new RegExp(`^id +${listed?.id}$`, "m"));
    expect(await skep("prog", "show", programPin)).toMatch(/^name +dissect$/m);
    // The kernel keeps 15 characters.
    expect(await skep("prog", "show", "redirect_sockmap")).toMatch(/^name +redirect_sockma$/m);
    await skep("link", "detach", String(listed?.id));
    expect(await netIn(netns)).not.toContain("dissect");
    expect(await skep("link", "show", String(listed?.id))).toMatch(/^attached to +detached$/m);
    link.close();
  });

  it("lists features of the kinds that are asked for", async () => {
    expect(await skep("features", "--kind", "maps")).toMatch(/^yes +hash +3\.19$/m);
    expect(await skep("features", "--type", "xdp")).toMatch(/^xdp: \d+ of 211 helpers\n {2}map_lookup_elem /m);
    expect(await json("features", "--kind", "flags")).toContainEqual({
      kind: "map flag",
      name: "BPF_F_RDONLY_PROG",
      since: "5.2",
      inVersion: true,
      support: { state: "yes" },
    });
    await expect(skep("features", "--type", "trcing")).rejects.toThrow('did you mean "tracing"?');
  });
});
