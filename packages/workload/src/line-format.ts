// SPDX-License-Identifier: Apache-2.0

/** Fields that have their own place in a line, or none. */
const PLACED = new Set(["level", "time", "pid", "hostname", "name", "msg", "err", "workload", "kind"]);

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/**
 * Puts one JSON line of pino into a line for people: `12:00:01 info  exec: attached 2 programs`. The time is
 * local. Other fields follow as `name=value`; an error follows with its message, and with its stack when it has no
 * `code`, for then it was not foreseen. Control characters are escaped: what is logged may come from a process that
 * would like to write to the terminal.
 */
export function formatLogLine(json: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(json);
  } catch (error) {
    // Not from pino; showing it is better than losing it.
    if (error instanceof SyntaxError) return `${escapeControls(json.trimEnd())}\n`;
    throw error;
  }
  const level = LEVELS[Number(record.level)] ?? String(record.level);
  const workload = typeof record.workload === "string" ? `${record.workload}: ` : "";
  let text = `${clock(Number(record.time))} ${level.padEnd(5)} ${workload}${record.msg ?? ""}`;
  for (const [name, value] of Object.entries(record)) {
    if (!PLACED.has(name))
      text += ` ${name}=${typeof value === "string" && !/[\s="]/.test(value) ? value : JSON.stringify(value)}`;
  }
  const error = record.err as { message?: unknown; stack?: unknown; code?: unknown } | undefined;
  if (typeof error === "object" && error !== null) {
    if (error.code === undefined && typeof error.stack === "string") text += `\n${error.stack}`;
    else if (error.message !== record.msg) text += `: ${error.message}`;
  }
  return `${escapeControls(text).replaceAll("\n", "\n  ")}\n`;
}

function clock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** Leaves line feeds and tabs. */
function escapeControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
