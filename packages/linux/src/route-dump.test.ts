// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkInterfaces } from "./network-interfaces.ts";
import { attributeText, dumpReply, routeAttributes } from "./route-dump.ts";
import { routeAttribute } from "./rtnetlink.ts";

describe("attributes of rtnetlink", () => {
  it("are read back as they were written", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 40 })), {
          selector: ([type]) => type,
        }),
        (attributes) => {
          const bytes = Buffer.concat(attributes.map(([type, value]) => routeAttribute(type, value)));
          const read = [...routeAttributes(bytes)].map(([type, value]) => [type, Uint8Array.from(value)]);
          expect(read).toEqual(attributes);
        },
      ),
    );
  });

  it("end where one is longer than the bytes, or shorter than its header", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => routeAttributes(Buffer.from(bytes)).size <= bytes.length / 4));
    expect(routeAttributes(Buffer.of(3, 0, 1, 0)).size).toBe(0);
    expect(routeAttributes(Buffer.of(9, 0, 1, 0, 5, 5, 5, 5)).size).toBe(0);
    // Nested attributes carry a flag in their number.
    expect(routeAttributes(Buffer.of(5, 0, 2, 0x80, 7))).toEqual(new Map([[2, Buffer.of(7)]]));
    expect(attributeText(Buffer.from("eth0\0junk"))).toBe("eth0");
  });
});

describe("a dump of rtnetlink", () => {
  const message = (type: number, payload: Buffer): Buffer => {
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + payload.length, 0);
    header.writeUInt16LE(type, 4);
    return Buffer.concat([header, payload]);
  };
  const word = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);

  it("ends well, or with the errno that cut it short", () => {
    const found = message(16, Buffer.of(1, 2, 3, 4));
    const payloads = [Buffer.of(1, 2, 3, 4)];
    expect(dumpReply(found)).toEqual({ payloads, errno: undefined });
    expect(dumpReply(Buffer.concat([found, message(3, word(0))]))).toEqual({ payloads, errno: 0 });
    expect(dumpReply(Buffer.concat([found, message(3, word(-105))]))).toEqual({ payloads, errno: 105 });
    expect(dumpReply(message(2, word(-1)))).toEqual({ payloads: [], errno: 1 });
  });
});

it("the network interfaces begin with the loopback interface", () => {
  expect(networkInterfaces()[0]).toMatchObject({ index: 1, name: "lo", kind: "" });
});
