// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { ethernet, ipv4, packet, parseCapture, udp, writePcap } from "@skep/packet";
import {
  type BpfObjects,
  bpfObjects,
  newBpfObjects,
  repository,
  SkepProcess,
  TempFolder,
  waitUntil,
} from "@skep/testbed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendUnder } from "../packages/kernel/test-objects/congestion.ts";
import { connectToSelf, PORT, sendTo, TestNetwork } from "../packages/kernel/test-objects/links-network.ts";
import { ExampleProcess } from "./example-process.ts";

const run = promisify(execFile);
const cgroupRoot =
  ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/cgroup.procs`)) ?? "";

let network: TestNetwork;
let before: BpfObjects;

beforeAll(() => {
  before = bpfObjects();
  network = new TestNetwork();
});

afterAll(() => network[Symbol.dispose]());

describe("an example", () => {
  it("opens: prints rows of files being opened, and ends on SIGINT", async () => {
    await using running = new SkepProcess(["run", "-f", `${repository}examples/opens/opens.yaml`, "-o", "json"]);
    await running.waitFor(/"workload":"opens"/);
    await run("/bin/cat", ["/etc/hostname"]);
    await running.waitFor(/"comm":"cat"/);
    expect(await running.stop("SIGINT")).toBe(0);
  });

  it("read-a-ring: counts what it read", async () => {
    const reading = run(process.execPath, [
      "--conditions=skep-source",
      `${repository}examples/read-a-ring/read-a-ring.ts`,
    ]);
    const busy = setInterval(() => void readFileSync("/etc/hostname"), 10);
    const { stdout } = await reading.finally(() => clearInterval(busy));
    expect(Number(/^(\d+) files opened in a second\n$/.exec(stdout)?.[1])).toBeGreaterThan(20);
  });

  it("hello: greets what is executed, and ends when told", async () => {
    await using hello = new ExampleProcess("hello");
    const busy = setInterval(() => void run("/bin/true"), 50);
    await hello.waitFor(/^hello, true \(\d+\)$/m).finally(() => clearInterval(busy));
  });

  it("ancestors: names who started what is executed", async () => {
    await using ancestors = new ExampleProcess("ancestors");
    const busy = setInterval(() => void run("/bin/true"), 50);
    const line = new RegExp(`^true \\(\\d+\\) < .+ \\(${process.pid}\\) < .+ \\(${process.ppid}\\) < .+$`, "m");
    await ancestors.waitFor(line).finally(() => clearInterval(busy));
  });

  it("cgroup-deny-connect: refuses the port in the cgroup alone, and counts", async () => {
    const cgroup = `${cgroupRoot}/skep-example-${process.pid}`;
    mkdirSync(cgroup);
    try {
      await using denying = new ExampleProcess("cgroup-deny-connect", [cgroup, `${PORT}`]);
      await denying.waitFor(/attached/);
      expect(connectToSelf(network.right, cgroup)).toBe("EPERM");
      expect(connectToSelf(network.right)).toBe("connected");
      expect(await denying.interrupt()).toContain(`\nport ${PORT}: 1 attempts\n`);
    } finally {
      rmdirSync(cgroup);
    }
  });

  it("config-swap: changes both numbers in one step", async () => {
    await using swap = new ExampleProcess("config-swap");
    expect(await swap.end()).toBe("winter: 240\nsummer is prepared: 240\nsummer is in force: 110\n");
  });

  it("congestion-control: serves a connection", async () => {
    await using control = new ExampleProcess("congestion-control");
    await control.waitFor(/skep_fixed is there/);
    expect(await sendUnder(network.leftPath, "skep_fixed")).toBe(1 << 18);
    expect(await control.interrupt()).toContain("\n1 connections used it\n");
  });

  it("deny-list: drops by the longest prefix, and counts", async () => {
    const prefixes = ["10.0.0.0/8", "10.77.0.0/24"];
    await using denying = new ExampleProcess("deny-list", ["veth0", ...prefixes], network.left);
    await denying.waitFor(/attached/);
    sendTo(network.right, "10.77.0.1", 3);
    const output = await denying.interrupt();
    expect(output).toContain("\n10.77.0.0/24: 3 dropped\n");
    expect(output).toContain("\n10.0.0.0/8: 0 dropped\n");
  });

  it("filter-capture: copies what the program lets through", async () => {
    using folder = new TempFolder();
    const [from, to] = [folder.join("in.pcap"), folder.join("out.pcap")];
    const sources = ["10.77.0.1", "192.0.2.1", "10.78.0.1"];
    const packets = sources.map((source) => ({ bytes: packet(ethernet(), ipv4({ source }), udp(), "x") }));
    writeFileSync(from, writePcap([...packets, { bytes: new Uint8Array(3) }]));
    await using filtering = new ExampleProcess("filter-capture", [from, to, "10.77.0.0/16"]);
    const expected = "2 of 4 packets passed, 1 could not be run\n10.77.0.0/16: 1 dropped\n";
    expect(await filtering.end()).toBe(expected);
    const passed = [...parseCapture(readFileSync(to))].map(({ bytes }) => Buffer.from(bytes).toString("hex"));
    expect(passed).toEqual(packets.slice(1).map(({ bytes }) => Buffer.from(bytes).toString("hex")));
  });

  it("sk-lookup-steering: answers on a port that nobody listens on", async () => {
    await using steering = new ExampleProcess("sk-lookup-steering", [], network.right);
    await steering.waitFor(/are served/);
    const ask = "exec 3<>/dev/tcp/127.0.0.1/7123 && cat <&3";
    const { stdout } = await run("ip", ["netns", "exec", network.right, "bash", "-c", ask]);
    expect(stdout).toBe("you asked for port 7123\n");
    await steering.interrupt();
  });

  it("syscall-latency: counts every call of this process", async () => {
    await using latency = new ExampleProcess("syscall-latency", [`${process.pid}`]);
    await latency.waitFor(/attached/);
    const parents = Array.from({ length: 10 }, () => process.ppid);
    expect(new Set(parents).size).toBe(1);
    const GETPPID = 110; // x86-64
    expect(await latency.interrupt()).toMatch(new RegExp(`^system call ${GETPPID}: 10\n +[\\d.]+ us +\\d+  #+$`, "m"));
  });

  it("tasks: lists this process", async () => {
    await using tasks = new ExampleProcess("tasks");
    expect(await tasks.end()).toMatch(new RegExp(`^ *${process.pid} +${process.ppid}  \\S`, "m"));
  });

  it("tcx-port-bytes: counts packets and bytes of a port", async () => {
    await using counting = new ExampleProcess("tcx-port-bytes", ["lo"], network.left);
    await counting.waitFor(/attached/);
    sendTo(network.left, "127.0.0.1", 2);
    // Ethernet, IPv4, UDP and "x\n".
    expect(await counting.interrupt()).toContain(`\nport ${PORT}: 2 packets, ${2 * (14 + 20 + 8 + 2)} bytes\n`);
  });

  it("unit-test: passes", async () => {
    const { stdout } = await run(`${repository}node_modules/.bin/vitest`, ["run", "--root", "examples", "unit-test"], {
      cwd: repository,
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(stdout).toMatch(/Tests +5 passed/);
  });

  it("uprobe-latency: times a function of libc in this process", async () => {
    await using latency = new ExampleProcess("uprobe-latency", [`${process.pid}`, "libc.so.6", "getaddrinfo"]);
    await latency.waitFor(/attached/);
    for (let i = 0; i < 3; i++) await lookup("localhost");
    const calls = [...(await latency.interrupt()).matchAll(/ us +(\d+) {2}#/g)].map(([, count]) => Number(count));
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it("xdp-drop-counter: tries itself out, drops and counts", async () => {
    await using dropping = new ExampleProcess("xdp-drop-counter", ["veth1", `${PORT}`], network.right);
    await dropping.waitFor(/^a datagram to port 9999 would be dropped\nattached/);
    sendTo(network.left, "10.77.0.2", 3);
    expect(await dropping.interrupt()).toMatch(/\nPASSED \d+\nDROPPED 3\n$/);
  });
});

describe("the examples", () => {
  it("leave nothing in the kernel", async () => {
    // It takes back a moment later what a process held.
    await waitUntil("the kernel to take everything back", () => newBpfObjects(before).length === 0);
  });

  it("are each short, explained, and run above", () => {
    const test = readFileSync(import.meta.filename, "utf8");
    const programs = globSync("examples/*/*.ts", { cwd: repository, exclude: ["**/*.bpf.ts"] });
    expect(programs.length).toBeGreaterThanOrEqual(10);
    for (const path of programs) {
      expect(readFileSync(repository + path, "utf8").split("\n").length, path).toBeLessThan(60);
      expect(existsSync(repository + path.replace(/[^/]+$/, "README.md")), path).toBe(true);
      expect(test, path).toContain(`"${path.split("/")[1]}: `);
    }
  });

  it("are what the guide shows", () => {
    const guide = readFileSync(`${repository}docs/collector.md`, "utf8").replaceAll(/^ {3}/gm, "");
    for (const name of ["opens.bpf.c", "opens.yaml"]) {
      const source = readFileSync(`${repository}examples/opens/${name}`, "utf8").split("\n").slice(1).join("\n");
      expect(guide, name).toContain(source.trim());
    }
    const library = readFileSync(`${repository}docs/ebpf.md`, "utf8");
    for (const name of ["hello.bpf.c", "hello.ts"]) {
      const source = readFileSync(`${repository}examples/hello/${name}`, "utf8").split("\n").slice(1).join("\n");
      expect(library, name).toContain(`\n${source}\`\`\`\n`);
    }
  });
});
