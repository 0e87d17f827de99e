// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { program } from "./program.ts";

/** Parses the arguments of a subcommand, and runs nothing. */
function parse(names: string, args: readonly string[]): unknown {
  let command = program();
  for (const name of names.split(" ")) {
    const found = command.commands.find((each) => each.name() === name);
    if (found === undefined) throw new Error(`no command ${names}`);
    command = found;
  }
  command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined)
    .parse(args, { from: "user" });
  return command.opts();
}

describe("numbers on the command line", () => {
  it("are digits, and within their bounds", () => {
    expect(parse("up", ["--port", "0"])).toMatchObject({ port: 0 });
    expect(parse("up", ["--port", "65535"])).toMatchObject({ port: 65_535 });
    expect(parse("rows", ["exec", "--limit", "9007199254740991"])).toMatchObject({ limit: Number.MAX_SAFE_INTEGER });
    for (const port of ["1e3", " ", "", "+1", "1.0", "0x10", "-1", "65536"]) {
      expect(() => parse("up", [`--port=${port}`]), port).toThrow("wanted a whole number from 0 to 65535");
    }
    for (const limit of ["0", " ", "1e3", "99999999999999999999999"]) {
      expect(() => parse("rows", ["exec", `--limit=${limit}`]), limit).toThrow("wanted a whole number from 1 to");
    }
  });

  it("are durations that the clock can wait for", () => {
    const watch = (interval: string) => parse("bpf map watch", ["a", `--interval=${interval}`]);
    expect(parse("bpf map watch", ["a"])).toMatchObject({ interval: 1 });
    expect(watch("10ms")).toMatchObject({ interval: 0.01 });
    expect(watch("24d")).toMatchObject({ interval: 24 * 86_400 });
    expect(() => watch("0s")).toThrow("wanted at least 10ms");
    expect(() => watch("25d")).toThrow("wanted at most 24d");
    expect(() => parse("bpf prog list", ["--stats=25d"])).toThrow("wanted at most 24d");
  });
});
