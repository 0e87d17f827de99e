// SPDX-License-Identifier: Apache-2.0

// Every block of the guide of the eBPF library: C is compiled, TypeScript type-checked and run with the commands of its
// section, and what the guide says that they print is compared. guide/guide-block.ts has the conventions.
import { existsSync, globSync, readFileSync } from "node:fs";
import { repository } from "@skep/testbed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guideSections, isAsShown } from "./guide/guide-block.ts";
import { GuideWorkshop } from "./guide/guide-workshop.ts";

const pages = [
  "docs/ebpf.md",
  "docs/vm.md",
  "docs/testing-ebpf.md",
  ...globSync("docs/ebpf/*.md", { cwd: repository }).sort(),
];
const sections = pages.flatMap((page) => guideSections(page, readFileSync(repository + page, "utf8")));
const blocks = sections.flatMap((section) => section.blocks);

describe("the guide", () => {
  let workshop: GuideWorkshop;

  beforeAll(async () => {
    workshop = new GuideWorkshop();
    await workshop.run(sections);
  });

  afterAll(() => {
    const { notRun } = workshop;
    console.log(`${blocks.length} blocks; not run here:\n${notRun.map((line) => `  ${line}`).join("\n")}`);
    workshop[Symbol.dispose]();
  });

  it("is C that compiles", () => {
    expect(workshop.compileErrors).toEqual([]);
  });

  it("is TypeScript that fits the packages", () => {
    expect(workshop.typeErrors).toBe("");
  });

  it.for(sections.map((section) => [section.page, section.title, section] as const))("%s: %s", ([, , section]) => {
    const key = workshop.keyOf(section);
    // A section of C or of text alone has no program.
    if (key !== undefined) expect(workshop.results.get(key)?.error).toBe("");
  });

  it("has tests that pass", () => {
    expect(workshop.testErrors).toBe("");
    expect(workshop.tests).toBeGreaterThanOrEqual(5);
  });

  it("leaves its programs no error behind", () => {
    expect(workshop.endErrors).toBe("");
  });

  it("has blocks that a test knows how to run", () => {
    const odd = blocks.filter(
      ({ language, notRun }) => notRun === undefined && !["c", "ts", "sh", "text"].includes(language),
    );
    expect(odd.map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
    const unclaimed = sections.flatMap((section) =>
      section.blocks.filter(
        ({ language }, index) => language === "text" && !/^(ts|sh)$/.test(section.blocks[index - 1]?.language ?? ""),
      ),
    );
    expect(unclaimed.map(({ place }) => `${place}: printed by nothing`)).toEqual([]);
    const absent = blocks.filter(({ runBy }) => runBy !== undefined && !existsSync(repository + runBy.split(",")[0]));
    expect(absent.map(({ place, runBy }) => `${place}: ${runBy}`)).toEqual([]);
  });

  it("has links that lead somewhere", () => {
    for (const page of pages) {
      const text = readFileSync(repository + page, "utf8");
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = new URL(path === "" ? `file://${repository}${page}` : path, `file://${repository}${page}`)
          .pathname;
        expect(existsSync(file), `${page}: ${target}`).toBe(true);
        if (anchor !== undefined) expect(anchorsOf(readFileSync(file, "utf8")), `${page}: ${target}`).toContain(anchor);
      }
    }
  });
});

describe("what the guide shows", () => {
  it("is compared line by line, with … for anything within one", () => {
    expect(isAsShown("a 12 b\nc  \n", "a … b\nc\n")).toBe(true);
    expect(isAsShown("a 12 b\nx\nc\n", "a … b\nc\n")).toBe(false);
    expect(isAsShown("a\n", "")).toBe(false);
    expect(isAsShown("", "")).toBe(true);
  });
});

/** As a page of the repository shows them. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return headings.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}
