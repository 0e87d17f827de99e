// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { printable, printableJson, printableLines, printableYaml } from "./safe-text.ts";

/** An escape sequence each way that there is, and text that runs backwards. */
const hostile = "a\x1b[2J\x07\x7f\x9b31m\u202e\u2066b";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for
const obeyed = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

describe("text that others chose", () => {
  it("is shown, not obeyed", () => {
    expect(printable(`${hostile}\n`)).toBe("a\\x1b[2J\\x07\\x7f\\x9b31m\\u202e\\u2066b\\n");
  });

  it("keeps its line breaks and tabs where it has several lines", () => {
    expect(printableLines("one\n\ttwo \u202e\n")).toBe("one\n\ttwo \\u202e\n");
  });

  it("is the same value as JSON and as YAML, in characters that a terminal only shows", () => {
    const data = { text: hostile, list: [hostile, "\u202e plain"], number: 12345678901234567890n };
    const json = printableJson(JSON.stringify({ text: hostile }));
    expect(json).not.toMatch(obeyed);
    expect(JSON.parse(json)).toEqual({ text: hostile });
    const yaml = printableYaml(data);
    expect(yaml).not.toMatch(obeyed);
    expect(parse(yaml, { intAsBigInt: true })).toEqual(data);
  });
});
