// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ethernet, ipv4, ipv6, packet, tcp, udp, writePcap } from "@skep/packet";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BpfRun, bpfRunPrinter, packetObject } from "./bpf-run.test-kit.ts";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../../examples/${name}/${name}.bpf.o`, import.meta.url));

let folder: string;
let capture: string;
let run: BpfRun;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-run-"));
  capture = join(folder, "in.pcap");
  const packets = [
    packet(ethernet(), ipv4(), tcp({ destinationPort: 80 })),
    packet(ethernet(), ipv4(), tcp({ destinationPort: 443 }), "x".repeat(100)),
    packet(ethernet(), ipv4(), udp({ destinationPort: 9999 }), "hello"),
    packet(ethernet(), ipv6(), udp(), "hello"),
    packet(ethernet(), ipv4({ source: "10.1.2.3" }), tcp()),
    packet(ethernet(), ipv4(), tcp({ destinationPort: 80 })),
  ];
  writeFileSync(capture, writePcap(packets.map((bytes) => ({ bytes }))));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  run = bpfRunPrinter();
});
afterEach(() => run[Symbol.dispose]());

describe("skep bpf run prints the same of both engines", () => {
  it.each([
    ["drop", [packetObject, "--program", "drop"]],
    ["bounce, which prints, sends records and moves the packet", [packetObject, "--program", "bounce"]],
    ["mark", [packetObject, "--program", "mark", "--context", "mark=41,priority=3"]],
    ["odd", [packetObject, "--program", "odd"]],
    ["xdp-drop-counter", [example("xdp-drop-counter")]],
    ["deny-list", [example("deny-list")]],
    ["tcx-port-bytes", [example("tcx-port-bytes")]],
  ])("%s", async (_name, args) => {
    for (const output of ["table", "json"]) {
      const all = [...args, "--data", capture, "--maps", "-o", output];
      const vm = await run(...all, "--engine", "vm");
      expect(await run(...all, "--engine", "kernel")).toBe(vm);
      expect(vm.length).toBeGreaterThan(500);
    }
  });

  it("a program that takes a struct", async () => {
    const args = [packetObject, "--program", "add", "--context", "length=5,port=9", "--maps", "-o", "json"];
    const vm = await run(...args);
    expect(await run(...args, "--engine", "kernel")).toBe(vm);
    expect(JSON.parse(vm)).toMatchObject({ runs: [{ returned: 5 }], maps: [{ entries: [{ key: 9, value: 5 }] }, {}] });
  });
});
