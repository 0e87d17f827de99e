// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type CollectionSpec, parseObject } from "@skep/ebpf";
import { ethernet, ipv4, packet, tcp, udp } from "@skep/packet";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { loadForTest } from "./index.ts";

const object = new URL("../../test-objects/packet-programs.bpf.o", import.meta.url);
const toPort = (destinationPort: number): Uint8Array => packet(ethernet(), ipv4(), tcp({ destinationPort }));

/** What a failed expectation says. */
function messageOf(expectation: () => void): string {
  try {
    expectation();
  } catch (error) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    if (error instanceof Error) return error.message.replace(/\x1b\[\d+m/g, "");
    throw error;
  }
  throw new Error("it did not fail");
}

describe("loadForTest", () => {
  it("loads by path, by URL, by bytes and what is parsed", () => {
    const sources: readonly (string | URL | Uint8Array | CollectionSpec)[] = [
      object.pathname,
      object,
      readFileSync(object),
      parseObject(readFileSync(object)),
    ];
    for (const source of sources) {
      using app = loadForTest(source, { programs: ["drop"], variables: { port: 443 } });
      expect(app.program("drop").run({ data: toPort(443) })).toHaveVerdict("XDP_DROP");
      expect(app.program("drop").run({ data: toPort(80) })).toHaveVerdict("XDP_PASS");
      expect(app.variable("total").get()).toBe(2n);
    }
    expect(() => loadForTest("/no/such.bpf.o")).toThrow("/no/such.bpf.o: ENOENT");
    expect(() => loadForTest(new URL(import.meta.url))).toThrow(/load-for-test\.test\.ts: .*ELF/);
  });

  it("closes what it made, and leaves an engine that was given", () => {
    const app = loadForTest(object, { programs: ["drop"] });
    const { engine } = app;
    app.close();
    expect((engine as VmEngine).closed).toBe(true);
    expect(() => app.program("drop")).toThrow("closed");
    using own = new VmEngine();
    loadForTest(object, { engine: own, programs: ["drop"] }).close();
    expect(own.closed).toBe(false);
    using given = loadForTest(object, { engine: own, programs: ["drop"] });
    expect(() => given.printed).toThrow("telling what programs print");
  });

  it("tells records, and what is printed", () => {
    using app = loadForTest(object);
    const bounce = app.program("bounce");
    bounce.run({ data: toPort(1) });
    bounce.run({ data: packet(ethernet(), ipv4(), udp(), "hello") });
    expect(app.printed).toEqual(["bounce 54 bytes", "bounce 47 bytes"]);
    expect(app.records("events")).toEqual([
      { length: 54, port: 0 },
      { length: 47, port: 0 },
    ]);
    expect(app.records("events")).toEqual([]);
  });

  it("takes contexts by names, and gives them back", () => {
    using app = loadForTest(object, { programs: ["mark"] });
    const result = app.program("mark").run({ data: toPort(1), context: { mark: 41 } });
    expect(result).toHaveVerdict("TC_ACT_UNSPEC");
    expect(result).toHaveVerdict("TCX_NEXT");
    expect(result.values).toMatchObject({ mark: 41, priority: 42 });
  });

  it("makes the engine as it is told", () => {
    using app = loadForTest(object, { programs: ["drop"], vm: { memory: 2 ** 24 } });
    expect((app.engine as VmEngine).memory.bytes.length).toBe(2 ** 24);
  });
});

describe("toHaveVerdict", () => {
  it("says what was said, and on what", () => {
    using app = loadForTest(object, { programs: ["drop"] });
    const result = app.program("drop").run({ data: toPort(80) });
    expect(result).not.toHaveVerdict("XDP_PASS");
    expect(result).toHaveVerdict(1);
    expect(messageOf(() => expect(result).toHaveVerdict("XDP_PASS"))).toBe(
      'program "drop" said XDP_DROP (1), wanted is XDP_PASS\n' +
        "on: 54 bytes, 02:00:00:00:00:01 > 02:00:00:00:00:02, IP 192.0.2.1.49152 > 198.51.100.1.80: Flags [.], ack 0, win 65535, length 0",
    );
    expect(messageOf(() => expect(result).not.toHaveVerdict("XDP_DROP"))).toContain("which it should not");
  });

  it("refuses verdicts of other types, and what is no run", () => {
    using app = loadForTest(object, { programs: ["drop", "odd"] });
    const result = app.program("odd").run({ data: toPort(80) });
    expect(result).toHaveVerdict(0);
    expect(() => expect(result).toHaveVerdict("SK_PASS")).toThrow(
      'SK_PASS is no verdict of program "odd", whose section "cgroup_skb/egress" has numbers alone',
    );
    const xdp = app.program("drop").run({ data: toPort(80) });
    expect(() => expect(xdp).toHaveVerdict("TC_ACT_OK")).toThrow("XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX");
    expect(() => expect(1).toHaveVerdict("XDP_DROP")).toThrow("for what run() of a program returns");
  });

  it("takes what any engine returns", () => {
    const bare = { returned: 2, duration: 0, data: new Uint8Array(), context: new Uint8Array() };
    expect(bare).toHaveVerdict("XDP_PASS");
    expect(messageOf(() => expect(bare).toHaveVerdict("XDP_DROP"))).toBe("the program said 2, wanted is XDP_DROP");
  });
});

describe("toHavePacket", () => {
  it("compares bytes, and shows where they differ", () => {
    using app = loadForTest(object);
    const data = packet(ethernet({ source: "02:00:00:00:00:0a" }), ipv4(), udp(), "hello");
    const result = app.program("bounce").run({ data });
    expect(result).toHaveVerdict("XDP_TX");
    const out = new Uint8Array(data.length + 2);
    out.set(data, 2);
    // The addresses were swapped where the packet begins now.
    const [destination, source] = [out.slice(0, 6), out.slice(6, 12)];
    out.set(source, 0);
    out.set(destination, 6);
    expect(result).toHavePacket(out);
    expect(result).not.toHavePacket(data);
    const wrong = out.slice();
    wrong[18] = 0x77;
    const message = messageOf(() => expect(result).toHavePacket(wrong));
    expect(message).toContain(
      'program "bounce" left another packet than wanted\n  went in: 47 bytes, 02:00:00:00:00:0a > ',
    );
    expect(message).toContain("- wanted:  49 bytes, ");
    expect(message).toContain("+ is:      49 bytes, ");
    expect(message).toMatch(/\n- 0010 {2}45 00 77 .*\n\+ 0010 {2}45 00 00 .*\n {14}\^\^$/);
  });
});

describe("toHaveRedirectedTo", () => {
  it("knows interfaces and maps, and looks at the verdict", () => {
    using app = loadForTest(object, { variables: { device: 9 } });
    const forward = app.program("forward");
    const near = forward.run({ data: toPort(80) });
    expect(near).toHaveVerdict("XDP_REDIRECT");
    expect(near).toHaveRedirectedTo(9);
    expect(near).toHaveRedirectedTo({ kind: "interface", target: 9 });
    expect(near).not.toHaveRedirectedTo(3);
    expect(messageOf(() => expect(near).toHaveRedirectedTo({ map: "ports", target: 5 }))).toMatch(
      /^program "forward" sent the packet to interface 9, wanted is map "ports", key 5\non: 54 bytes, /,
    );
    app.map("ports").update(5, 2);
    const far = forward.run({ data: packet(ethernet(), ipv4(), udp(), "x".repeat(100)) });
    expect(far).toHaveRedirectedTo({ map: "ports", target: 5 });
    expect(far).not.toHaveRedirectedTo({ kind: "interface" });
    const kept = app.program("waver").run({ data: toPort(80) });
    expect(messageOf(() => expect(kept).toHaveRedirectedTo(9))).toMatch(
      /^program "waver" said TC_ACT_SHOT, so that the packet did not go to interface 9, wanted is interface or key 9/,
    );
    const drop = app.program("drop").run({ data: toPort(80) });
    expect(drop.redirect).toBeUndefined();
    expect(messageOf(() => expect(drop).toHaveRedirectedTo(9))).toContain("sent the packet nowhere, wanted is");
    const bare = { returned: 4, duration: 0, data: new Uint8Array(), context: new Uint8Array() };
    expect(() => expect(bare).toHaveRedirectedTo(1)).toThrow("not run by a VmEngine");
  });
});

describe("toHaveEntry", () => {
  it("compares as toEqual does, and shows what is there", () => {
    using app = loadForTest(object, { programs: ["drop"] });
    for (const port of [80, 80, 443]) app.program("drop").run({ data: toPort(port) });
    const counters = app.map("counters");
    expect(counters).toHaveEntry(80, 2n);
    expect(counters).toHaveEntry(443);
    expect(counters).toHaveEntry(443, expect.anything());
    expect(counters).not.toHaveEntry(22);
    expect(counters).not.toHaveEntry(80, 1n);
    expect(messageOf(() => expect(counters).toHaveEntry(80, 3n))).toBe(
      'map "counters", key 80: the value is 2n, wanted is 3n',
    );
    expect(messageOf(() => expect(counters).toHaveEntry(22, 1n))).toMatch(
      /^map "counters" has no key 22, wanted is 1n\nit holds:\n {2}(80: 2n\n {2}443: 1n|443: 1n\n {2}80: 2n)$/,
    );
    expect(() => expect({}).toHaveEntry(1)).toThrow("is for maps");
  });

  it("adds up what CPUs have", () => {
    using app = loadForTest(object, { programs: ["drop"] });
    app.program("drop").run({ data: toPort(80) });
    expect(app.map("lengths")).toHaveEntry(1, 54n);
    expect(app.map("lengths")).toHaveEntry(1, [54n]);
    expect(messageOf(() => expect(app.map("lengths")).toHaveEntry(1, 55n))).toContain("of all CPUs is 54n");
  });
});
