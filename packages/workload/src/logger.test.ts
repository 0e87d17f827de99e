// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { formatLogLine } from "./line-format.ts";
import { createLogger, type LoggerOptions } from "./logger.ts";

function capture(options: LoggerOptions = {}): { logger: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = [];
  return { logger: createLogger({ ...options, destination: { write: (line) => void lines.push(line) } }), lines };
}
const withoutClock = (line: string | undefined): string | undefined => line?.replace(/^\d\d:\d\d:\d\d /, "");

describe("createLogger", () => {
  it("writes JSON to what is no terminal", () => {
    const { logger, lines } = capture();
    logger.child({ workload: "exec" }).info({ programs: 2 }, "attached");
    logger.debug("not at this level");
    expect(lines).toHaveLength(1);
    const { time, ...record } = JSON.parse(lines[0] ?? "");
    expect(record).toEqual({ level: 30, workload: "exec", programs: 2, msg: "attached" });
    expect(Math.abs(Date.now() - time)).toBeLessThan(10_000);
  });

  it("writes lines for people", () => {
    const { logger, lines } = capture({ format: "line", level: "debug" });
    logger.child({ kind: "Collector", workload: "exec" }).info("attached 2 programs");
    logger.warn({ file: "a b", count: 3n }, "odd");
    logger.debug("detail");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}exec: attached 2 programs\n$/);
    expect(withoutClock(lines[1])).toBe('warn  odd file="a b" count=3\n');
    expect(withoutClock(lines[2])).toBe("debug detail\n");
  });

  it("shows a foreseen error by its message, another one with its stack", () => {
    const { logger, lines } = capture({ format: "line" });
    logger.error({ err: new SkepError("ERR_MANIFEST", "a.yaml:1:1: wrong\nb.yaml:2:2: wrong too") }, "reload failed");
    logger.error({ err: new TypeError("x is undefined") }, "reload failed");
    expect(withoutClock(lines[0])).toBe("error reload failed: a.yaml:1:1: wrong\n  b.yaml:2:2: wrong too\n");
    expect(lines[1]).toMatch(/reload failed\n {2}TypeError: x is undefined\n {6}at /);
  });
});

describe("formatLogLine", () => {
  it("shows the local time", () => {
    const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
    expect(formatLogLine(JSON.stringify({ level: 30, time, msg: "x" }))).toBe("03:04:05 info  x\n");
  });

  it("lets nothing that is logged write to the terminal", () => {
    const { logger, lines } = capture({ format: "line" });
    logger.info({ comm: "\u001b]0;owned\u0007" }, "executed \u009b2J\r");
    expect(withoutClock(lines[0])).toBe("info  executed \\x9b2J\\x0d comm=\\x1b]0;owned\\x07\n");
    expect(formatLogLine("no json \u001b[m\n")).toBe("no json \\x1b[m\n");
  });
});
