// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ethernet, ipv4, LinkType, packet, tcp, writePcap } from "@skep/packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { packetsOf } from "../bpf/packet-input.ts";
import { type BpfRun, bpfRunPrinter, packetObject } from "./bpf-run.test-kit.ts";

const toPort = (destinationPort: number): Uint8Array => packet(ethernet(), ipv4(), tcp({ destinationPort }));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const line = (port: number): string =>
  `02:00:00:00:00:01 > 02:00:00:00:00:02, IP 192.0.2.1.49152 > 198.51.100.1.${port}: Flags [.], ack 0, win 65535, length 0`;

let folder: string;
let run: BpfRun;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-run-"));
  run = bpfRunPrinter();
});
afterEach(() => {
  run[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function capture(packets: readonly Uint8Array[], linkType: number = LinkType.ETHERNET): string {
  const path = join(folder, "in.pcap");
  writeFileSync(
    path,
    writePcap(
      packets.map((bytes) => ({ bytes })),
      { linkType },
    ),
  );
  return path;
}

describe("skep bpf run", () => {
  it("runs the packets of a capture, and shows what maps hold afterwards", async () => {
    const path = capture([80, 443, 80].map(toPort));
    expect(await run(packetObject, "--program", "drop", "--data", path, "--maps")).toBe(`\
#       VERDICT       BYTES  PACKET
1       XDP_DROP      54     ${line(80)}
2       XDP_PASS      54     ${line(443)}
3       XDP_DROP      54     ${line(80)}

lengths (percpu_array)
  1  162

counters (hash)
  80  2
  443  1

events (ringbuf) is empty

.bss (array)
  0  {total: 3}
`);
  });

  it("shows what became of a packet, and what the program printed", async () => {
    const args = [packetObject, "--program", "bounce", "--data", hex(toPort(80)), "--maps"];
    expect(await run(...args)).toBe(`\
#       VERDICT       BYTES  PACKET
1       XDP_TX        54     ${line(80)}
                      56     becomes 00:00:02:00:00:00 > 00:02:02:00:00:00, ethertype 0x0001, length 42
                             prints bounce 54 bytes

events (ringbuf)
  {length: 54, port: 0}
`);
    const json = JSON.parse(await run(...args, "-o", "json")) as unknown;
    expect(json).toMatchObject({
      program: "bounce",
      type: "xdp",
      runs: [
        {
          verdict: "XDP_TX",
          returned: 3,
          before: { length: 54, text: line(80), bytes: hex(toPort(80)) },
          after: { length: 56 },
          printed: ["bounce 54 bytes"],
        },
      ],
      maps: [{ name: "events", type: "ringbuf", values: [{ length: 54, port: 0 }] }],
    });
    expect(parseYaml(await run(...args, "-o", "yaml"))).toEqual(json);
  });

  it("takes a context by the names of its fields, or as bytes", async () => {
    const args = [packetObject, "--program", "waver", "--data", hex(toPort(80))];
    expect(await run(...args)).toContain("TC_ACT_SHOT");
    expect(await run(...args, "--context", "mark=7, priority=1,cb=[1,2]")).toContain("TC_ACT_OK");
    expect(await run(...args, "--context", `hex:${"00".repeat(8)}07000000`)).toContain("TC_ACT_OK");
    const add = [packetObject, "--program", "add", "--maps"];
    expect(await run(...add, "--context", "length=5,port=0x9")).toMatch(/^1 +5\n\ncounters \(hash\)\n {2}9 {2}5\n/m);
    expect(await run(...add, "--context", "hex:0500000009000000")).toMatch(/\n {2}9 {2}5\n/);
    await expect(run(...args, "--context", "mrk=7")).rejects.toThrow('no field of struct __sk_buff "mrk"; there are');
    await expect(run(...args, "--context", "mark")).rejects.toThrow(
      '--context "mark" is neither name=value,… nor hex:…',
    );
    await expect(run(...add, "--context", "length=5")).rejects.toThrow("port");
  });

  it("says how long a run takes when there are many", async () => {
    const table = await run(packetObject, "--program", "odd", "--data", hex(toPort(80)), "--repeat", "100");
    expect(table).toMatch(/^# +VERDICT +NS\/RUN +BYTES +PACKET\n1 +0 +\d+ +54 +02:/);
  });

  it("says what is missing or wrong", async () => {
    await expect(run(packetObject)).rejects.toThrow(/has \d programs: drop, .*; say which by --program/);
    await expect(run(packetObject, "--program", "drp")).rejects.toThrow('no program "drp"; there are drop, ');
    await expect(run(packetObject, "--program", "drop")).rejects.toThrow("runs on packets: give them by --data");
    await expect(run(packetObject, "--program", "drop", "--data", "nope")).rejects.toThrow(
      "neither a file that there is",
    );
    await expect(run(packetObject, "--program", "drop", "--data", packetObject)).rejects.toThrow(
      /packet-programs\.bpf\.o: capture at byte 0: begins with 0x7f454c46/,
    );
    const raw = capture([toPort(80)], LinkType.RAW);
    await expect(run(packetObject, "--program", "drop", "--data", raw)).rejects.toThrow(
      "packet 1 has link type 101, wanted are Ethernet frames (1)",
    );
  });

  it("prints what it ran before a fault, and the line of C that it came from", async () => {
    const path = capture([toPort(80), new Uint8Array(60).fill(0xff), toPort(80)]);
    const failed = run(packetObject, "--program", "fragile", "--data", path);
    await expect(failed).rejects.toThrow(
      /program "fragile", instruction \d+ \(.*packet-programs\.bpf\.c:\d+: return \*/,
    );
    expect(run.printed).toContain("1       XDP_PASS");
    expect(run.printed).not.toContain("\n2 ");
  });
});

describe("--data -", () => {
  async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  async function packets(bytes: Uint8Array, size: number): Promise<Uint8Array[]> {
    const all: Uint8Array[] = [];
    for await (const each of packetsOf("-", chunks(bytes, size))) all.push(each);
    return all;
  }

  it("is a capture or hexadecimal digits, however it comes", async () => {
    const both = [toPort(1), toPort(2)];
    const pcap = writePcap(both.map((bytes) => ({ bytes })));
    const text = Buffer.from(`${hex(toPort(3)).replace(/../g, "$&:")}\n`);
    for (const size of [1, 3, 4, 5, 1000]) {
      expect((await packets(pcap, size)).map(hex)).toEqual(both.map(hex));
      expect((await packets(text, size)).map(hex)).toEqual([hex(toPort(3))]);
    }
    await expect(packets(new Uint8Array(), 1)).rejects.toThrow("standard input is neither a capture nor");
    await expect(packets(Buffer.from("hello"), 2)).rejects.toThrow("standard input is neither a capture nor");
    await expect(packets(pcap.subarray(0, 70), 9)).rejects.toThrow("standard input: capture at byte 24: the file ends");
  });
});
