// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { duration, nanoseconds, rate, shellLine } from "../page/src/format.ts";
import { parsePlace, placeHash } from "../page/src/hash.ts";
import { stepsOf } from "../page/src/ledger-steps.ts";
import { mergeRates } from "../page/src/rate-series.ts";
import { both, cellText, filterFor, fullText, parseRow } from "../page/src/row.ts";
import { type ServerEvent, serverEvents } from "../page/src/server-events.ts";
import { microseconds } from "../page/src/time.ts";

function inPieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

describe("rows on the page", () => {
  it("shows 64-bit integers exactly as they came", () => {
    const { values } = parseRow('{"cgroup":18446744073709551615,"low":-9223372036854775808,"pid":7,"f":1e300}', 1);
    expect(String(values["cgroup"])).toBe("18446744073709551615");
    expect(String(values["low"])).toBe("-9223372036854775808");
    expect(values["pid"]).toBe(7);
    expect(values["f"]).toBe(1e300);
  });

  it("shows arguments as a line for a shell", () => {
    expect(shellLine(["sh", "-c", "echo 'a b'; ls", ""])).toBe(`sh -c 'echo '\\''a b'\\''; ls' ''`);
  });

  it("keeps the microseconds of a time", () => {
    expect(microseconds("2026-11-21T10:00:00.123456Z")).toBe(Date.UTC(2026, 10, 21, 10, 0, 0, 123) * 1000 + 456);
    expect(microseconds("2026-11-21T10:00:00Z")).toBe(Date.UTC(2026, 10, 21, 10) * 1000);
    expect(microseconds("yesterday")).toBeUndefined();
  });

  it("shows durations for people in a cell and exactly in the detail", () => {
    const column = { name: "duration_ns", type: "u64" };
    expect(cellText(column, 1_234_567)).toBe("1.23 ms");
    expect(fullText(column, 1_234_567)).toBe("1,234,567 ns");
    expect(nanoseconds(12)).toBe("12 ns");
    expect(duration(90_061)).toBe("1 d 1 h");
    expect(rate(12_345)).toBe("12.3k");
  });

  it("makes filters from values, quoted where they must be", () => {
    expect(filterFor({ name: "comm", type: "text" }, 'a"b\\c')).toBe('comm = "a\\"b\\\\c"');
    expect(filterFor({ name: "uid", type: "u32" }, 0)).toBe("uid = 0");
    expect(filterFor({ name: "time", type: "time" }, "2026-11-21T10:00:00Z")).toBeUndefined();
    expect(both("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) and c = 3");
    expect(both("", "c = 3")).toBe("c = 3");
  });
});

describe("the page's address", () => {
  it("holds stream and filter, whatever the filter is", () => {
    const place = { stream: "exec", where: 'args contains "a&b=c#d" and uid = 0' };
    expect(parsePlace(placeHash(place))).toEqual(place);
    expect(parsePlace("")).toEqual({ stream: undefined, where: "" });
  });
});

describe("server-sent events", () => {
  it("are read however the bytes are cut", async () => {
    const text =
      'event: rows\ndata: {"a":"ü"}\ndata: {"a":2}\n\n: still here\n\nevent: missed\ndata: 3\n\nevent: rows\n\n';
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 2, 7, bytes.length]) {
      const events: ServerEvent[] = [];
      for await (const event of serverEvents(inPieces(bytes, size))) events.push(event);
      expect(events).toEqual([
        { type: "rows", data: ['{"a":"ü"}', '{"a":2}'] },
        { type: "missed", data: ["3"] },
        { type: "rows", data: [] },
      ]);
    }
  });
});

describe("the plot's series", () => {
  it("goes on where it ended and begins anew after a gap", () => {
    const first = mergeRates(new Map(), [{ stream: "exec", from: 10, events: [1, 2], lost: [0, 0] }]);
    const second = mergeRates(first, [{ stream: "exec", from: 12, events: [3], lost: [1] }]);
    expect(second.get("exec")).toEqual({ second: 12, events: [1, 2, 3], lost: [0, 0, 1] });
    const third = mergeRates(second, [{ stream: "exec", from: 20, events: [9], lost: [0] }]);
    expect(third.get("exec")).toEqual({ second: 20, events: [9], lost: [0] });
    expect(mergeRates(third, [])).toEqual(new Map());
  });
});

describe("the ledger's steps", () => {
  it("name every loss and say what helps", () => {
    const losses = stepsOf({
      stream: "exec",
      workload: "exec",
      kernel: { seen: 10, filtered: 1, failed: 2, submitted: 7 },
      reader: { read: 6, discarded: 0, lost: 1 },
      decoder: { decoded: 5, malformed: 1 },
      sinks: [],
      differences: [],
    }).filter(({ kind }) => kind === "loss");
    expect(losses.map(({ value }) => value)).toEqual([2, 1, 1]);
    for (const { note } of losses) expect(note).toMatch(/\.$/);
  });
});
