// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { cpioArchive } from "./cpio-archive.ts";

/** Reads it back by the layout of buffer-format.rst. */
function* entriesOf(archive: Buffer): Generator<{ name: string; mode: number; text: string }> {
  let at = 0;
  for (;;) {
    const field = (index: number) =>
      Number.parseInt(archive.toString("latin1", at + 6 + 8 * index, at + 14 + 8 * index), 16);
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString("latin1", at + 110, at + 110 + nameSize - 1);
    const contents = (at + 110 + nameSize + 3) & ~3;
    yield { name, mode, text: archive.toString("latin1", contents, contents + size) };
    at = (contents + size + 3) & ~3;
    if (name === "TRAILER!!!") break;
  }
  expect(at).toBe(archive.length);
}

describe("cpioArchive", () => {
  it("holds each folder once and before its files, everything at multiples of four", () => {
    const files = ["init", "a/b/c", "a/d"].map((path, i) => ({ path, bytes: Buffer.from("12345".slice(0, i + 3)) }));
    expect([...entriesOf(cpioArchive(files))]).toEqual([
      { name: "a", mode: 0o40755, text: "" },
      { name: "a/b", mode: 0o40755, text: "" },
      { name: "init", mode: 0o100755, text: "123" },
      { name: "a/b/c", mode: 0o100755, text: "1234" },
      { name: "a/d", mode: 0o100755, text: "12345" },
      { name: "TRAILER!!!", mode: 0, text: "" },
    ]);
  });
});
