// SPDX-License-Identifier: Apache-2.0

// Tests the program of examples/xdp-drop-counter. As anybody:
//   npx vitest run --root examples unit-test
import { ethernet, ipv4, ipv6, packet, udp, vlan } from "@skep/packet";
import { loadForTest, type TestApp } from "@skep/vm/testing";
import { afterEach, beforeEach, expect, test } from "vitest";

let app: TestApp;

beforeEach(() => {
  app = loadForTest(new URL("../xdp-drop-counter/xdp-drop-counter.bpf.o", import.meta.url), {
    variables: { port: 53 },
  });
});
afterEach(() => app.close());

test("drops datagrams to the port, and counts them", () => {
  const data = packet(ethernet(), ipv4(), udp({ destinationPort: 53 }), "hello");
  expect(app.program("drop").run({ data, repeat: 3 })).toHaveVerdict("XDP_DROP");
  expect(app.map("packets")).toHaveEntry("DROPPED", 3n);
  expect(app.map("packets")).toHaveEntry("PASSED", 0n);
});

test.each([
  ["another port", packet(ethernet(), ipv4(), udp({ destinationPort: 54 }))],
  ["IPv6", packet(ethernet(), ipv6(), udp({ destinationPort: 53 }))],
  ["a VLAN", packet(ethernet(), vlan(), ipv4(), udp({ destinationPort: 53 }))],
  ["a frame without a packet", packet(ethernet())],
])("passes %s on as it is", (_name, data) => {
  const result = app.program("drop").run({ data });
  expect(result).toHaveVerdict("XDP_PASS");
  expect(result).toHavePacket(data);
});
