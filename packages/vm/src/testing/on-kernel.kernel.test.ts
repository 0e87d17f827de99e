// SPDX-License-Identifier: Apache-2.0

import { KernelEngine } from "@skep/kernel";
import { ethernet, ipv4, packet, tcp } from "@skep/packet";
import { describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { loadForTest } from "./index.ts";

const object = new URL("../../test-objects/packet-programs.bpf.o", import.meta.url);
const data = packet(ethernet(), ipv4(), tcp());

describe.each([
  ["vm", VmEngine],
  ["kernel", KernelEngine],
] as const)("a test on %s", (name, Engine) => {
  it("has verdicts, packets, maps and records", () => {
    using engine = new Engine();
    using app = loadForTest(object, { engine });
    expect(app.program("drop").run({ data })).toHaveVerdict("XDP_DROP");
    expect(app.program("drop").run({ data })).toHavePacket(data);
    expect(app.map("counters")).toHaveEntry(80, 2n);
    expect(app.map("lengths")).toHaveEntry(1, 108n);
    expect(app.variable("total").get()).toBe(2n);
    expect(app.program("bounce").run({ data }).data).toHaveLength(56);
    expect(app.records("events")).toEqual([{ length: 54, port: 0 }]);
    expect(() => app.printed).toThrow("telling what programs print");
  });

  it("takes contexts by names and metadata, and gives fields back", () => {
    using engine = new Engine();
    using app = loadForTest(object, { engine });
    const marked = app.program("mark").run({ data, context: { mark: 41, cb: [1, 2] } });
    expect(marked).toHaveVerdict("TC_ACT_UNSPEC");
    expect(marked.values).toMatchObject({ mark: 41, priority: 42, cb: [1, 2, 0, 0, 0] });
    expect(app.program("waver").run({ data, context: { mark: 7 } })).toHaveVerdict("TC_ACT_OK");
    const beside = app.program("drop").run({ data, metadata: Uint8Array.of(1, 2, 3, 4) });
    expect(beside).toHaveVerdict("XDP_DROP");
    expect(beside.data).toHaveLength(58);
    expect(() => app.program("mark").run({ data, context: { mrk: 1 } })).toThrow('no field of struct __sk_buff "mrk"');
  });

  it("says where a packet is sent, if the engine does", () => {
    using engine = new Engine();
    using app = loadForTest(object, { engine });
    const result = app.program("forward").run({ data });
    expect(result).toHaveVerdict("XDP_REDIRECT");
    if (name === "vm") expect(result).toHaveRedirectedTo(3);
    else expect(() => expect(result).toHaveRedirectedTo(3)).toThrow("what is not run by a VmEngine");
  });
});
