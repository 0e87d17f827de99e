// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { program } from "./program.ts";

/** Parses the arguments of a subcommand, and runs nothing. */
function parse(name: string, args: readonly string[]): unknown {
  const command = program().commands.find((each) => each.name() === name);
  if (command === undefined) throw new Error(`no command ${name}`);
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
});
