// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatText } from "./format.ts";
import { TestFrame } from "./helper.test-kit.ts";

const frame = new TestFrame();

function format(text: string, ...args: readonly (bigint | number)[]): string | number {
  const values = args.map((arg) => BigInt.asUintN(64, BigInt(arg)));
  const formatted = formatText(frame.memory, Buffer.from(text, "latin1"), values);
  if (typeof formatted === "number") return formatted;
  const target = new Uint8Array(formatted.length);
  expect(formatted.write(target)).toBe(formatted.length);
  return Buffer.from(target).toString("latin1");
}

const flags = fc.subarray(["-", "+", " ", "0"]).map((chosen) => chosen.join(""));
const width = fc.option(fc.integer({ min: 1, max: 30 }), { nil: "" }).map(String);
const integerSpec = fc.tuple(flags, width, fc.constantFrom("", "l", "ll"), fc.constantFrom("d", "i", "u", "x", "X"));
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n),
);

/** What C prints for each format and value, by a program that gcc makes. */
function printedByC(cases: readonly { readonly spec: string; readonly value: bigint }[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), "skep-format-"));
  try {
    const source = join(directory, "print.c");
    const statements = cases.map(({ spec, value }) => {
      const argument = /l/.test(spec) ? `${value}ull` : `(unsigned)${value & 0xffff_ffffn}u`;
      return `printf("${spec}\\n", ${argument});`;
    });
    writeFileSync(source, `#include <stdio.h>\nint main(void) { ${statements.join("\n")} return 0; }\n`);
    execFileSync("gcc", ["-w", "-O0", "-o", join(directory, "print"), source]);
    return execFileSync(join(directory, "print"), { encoding: "latin1" }).split("\n").slice(0, -1);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("formatText", () => {
  test("integers are as C prints them", () => {
    const cases = fc
      .sample(fc.record({ spec: integerSpec, value }), 500)
      .map(({ spec, value }) => ({ spec: `%${spec.join("")}`, value }));
    const wanted = printedByC(cases);
    for (const [i, { spec, value }] of cases.entries())
      expect([spec, value, format(spec, value)]).toEqual([spec, value, wanted[i]]);
  });

  test("text and %% stay as they are", () => {
    expect(format("100%% of\t%d\n", 7)).toBe("100% of\t7\n");
    expect(format("")).toBe("");
  });

  test("characters and strings take a width, on either side", () => {
    const name = frame.put("skep");
    expect(format("%c%3c|%-3c|", 0x41, 0x42, 0x143)).toBe("A  B|C  |");
    expect(format("%s|%8s|%-8s|%2s", name, name, name, name)).toBe("skep|    skep|skep    |skep");
    expect(format("%pks %pus.", name, name)).toBe("skep skep.");
  });

  test("a string that cannot be read is empty, and one that leads out of its region", () => {
    const open = new TestFrame();
    const last = open.page + 4096 - 4;
    open.memory.slice(last, 4).fill(0x61);
    const text = (address: bigint) => formatText(open.memory, Buffer.from("%s"), [address]);
    for (const address of [0n, 8n, 2n ** 32n, 2n ** 64n - 1n, BigInt(last)])
      expect(text(address)).toMatchObject({ length: 0 });
  });

  test("pointers have 16 digits unless a width is given", () => {
    expect(format("%p %px %pK", 0xabcdn, 0x1_0000n, 0)).toBe("000000000000abcd 0000000000010000 0000000000000000");
    expect(format("%20p|%-20p|%020px|", 0xabcdn, 0xabcdn, 0xabcdn)).toBe(
      "                abcd|abcd                |0000000000000000abcd|",
    );
    expect(format("%ps %pS %pB", 0xff, 0xff, 0xff)).toBe("0xff 0xff 0xff");
  });

  test("IP addresses", () => {
    const four = frame.put(Uint8Array.of(192, 168, 0, 7));
    const six = frame.put(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    expect(format("%pI4 %pi4", four, four)).toBe("192.168.0.7 192.168.000.007");
    expect(format("%pI6 %pi6", six, six)).toBe(
      "2001:0db8:0000:0000:0000:0000:0000:0001 20010db8000000000000000000000001",
    );
    expect(format("%pI4", 0)).toBe("0.0.0.0");
    // What follows is swallowed, as by the kernel.
    expect(format("%pI4c9 %pxyz", four, 1)).toBe("192.168.0.7 0000000000000001");
  });

  test("what the kernel refuses is refused", () => {
    const refused = [
      "%f",
      "%.3d",
      "%#x",
      "%hd",
      "%lp",
      "%llls",
      "%n",
      "%",
      "%5",
      "% %",
      "%sx",
      "%pA",
      "%pI5",
      "%pksx",
      "é",
      "\x01",
    ];
    for (const text of refused) expect([text, format(text, 1, 2)]).toEqual([text, -22]);
    expect(format("%d")).toBe(-22);
    expect(format("%d %d", 1)).toBe(-22);
  });

  test("strings share 512 bytes", () => {
    const long = frame.put("x".repeat(600));
    expect(format("%s", long)).toBe("x".repeat(511));
    expect(format("%s%d", long, 1)).toBe(-28);
    const half = frame.put("y".repeat(300));
    expect(format("%s%s", half, half)).toBe("y".repeat(300) + "y".repeat(210));
  });

  test("a width beyond reason costs no memory", () => {
    const formatted = formatText(frame.memory, Buffer.from("%8000000d%s"), [1n, 0n]);
    expect(formatted).toMatchObject({ length: 8_000_000 });
    expect((formatted as { write(target: Uint8Array): number }).write(new Uint8Array(10))).toBe(10);
  });
});
