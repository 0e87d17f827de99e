// SPDX-License-Identifier: Apache-2.0

/**
 * A fenced block of the guide, and what comments before it say of how it is tested:
 *
 * - `<!-- file: x.bpf.c -->` the block is this file; C is compiled and its module generated; `x.test.ts` is run by vitest.
 * - `<!-- more of: x.bpf.c -->` it goes behind what that file has already.
 * - `<!-- run by: path/of.test.ts, where -->` compiled and type-checked here, run there.
 * - `<!-- not run: reason -->` neither.
 * - `<!-- ts` and lines of code `-->` belong to the section's program, in front of the block, without being shown.
 */
export interface GuideBlock {
  /** `docs/ebpf.md:12`, of the opening fence. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
  readonly file: string | undefined;
  readonly moreOf: string | undefined;
  readonly runBy: string | undefined;
  readonly notRun: string | undefined;
  /** Code that is not shown. */
  readonly before: string;
}

/** What stands under one heading of the second level. Its blocks of TypeScript and of commands are one program. */
export interface GuideSection {
  readonly page: string;
  readonly title: string;
  readonly blocks: readonly GuideBlock[];
  /** Code behind the last block that is not shown. */
  readonly after: string;
}

/** Takes a page apart. Throws for comments and fences that it does not know. */
export function guideSections(page: string, markdown: string): GuideSection[] {
  const sections: { page: string; title: string; blocks: GuideBlock[]; after: string }[] = [];
  const lines = markdown.split("\n");
  let marks = new Map<string, string>();
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const place = `${page}:${at + 1}`;
    const heading = /^##? (.+)$/.exec(line)?.[1];
    if (heading !== undefined) {
      const last = sections.at(-1);
      if (last !== undefined) last.after = marks.get("ts") ?? "";
      marks = new Map();
      sections.push({ page, title: heading, blocks: [], after: "" });
    } else if (line === "<!-- ts") {
      const end = lines.indexOf("-->", at);
      if (end === -1) throw new Error(`${place}: the comment has no end`);
      marks.set("ts", `${marks.get("ts") ?? ""}${lines.slice(at + 1, end).join("\n")}\n`);
      at = end;
    } else if (line.startsWith("<!--")) {
      const [, key = "", value = ""] = /^<!-- (file|more of|run by|not run): (.+) -->$/.exec(line) ?? [];
      if (key === "") throw new Error(`${place}: ${line} is no comment that a test knows`);
      marks.set(key, value);
    } else if (line.startsWith("```")) {
      const language = line.slice(3);
      const end = lines.indexOf("```", at + 1);
      if (end === -1) throw new Error(`${place}: the block has no end`);
      sections.at(-1)?.blocks.push({
        place,
        language,
        text: `${lines.slice(at + 1, end).join("\n")}\n`,
        file: marks.get("file"),
        moreOf: marks.get("more of"),
        runBy: marks.get("run by"),
        notRun: marks.get("not run"),
        before: marks.get("ts") ?? "",
      });
      marks = new Map();
      at = end;
    }
  }
  const last = sections.at(-1);
  if (last !== undefined) last.after = marks.get("ts") ?? "";
  return sections.filter(({ blocks }) => blocks.length > 0);
}

/** C as the guide says that it is meant: behind an include and before a license, where it does not have its own. */
export function completedC(text: string): string {
  const head = text.includes("#include") ? "" : "#include <skep/bpf.h>\n\n";
  const tail = text.includes('SEC("license")') ? "" : '\nchar LICENSE[] SEC("license") = "GPL";\n';
  return `${head}${text}${tail}`;
}

/** Whether what was printed is what the guide shows; `…` stands for anything within a line. */
export function isAsShown(printed: string, shown: string): boolean {
  const lines = shown.trimEnd().split("\n");
  const pattern = lines.map((line) =>
    line
      .trimEnd()
      .split("…")
      .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join(".*?"),
  );
  const text = printed.replaceAll(/[ \t]+$/gm, "").trimEnd();
  return new RegExp(`^${pattern.join("\\n")}$`).test(text);
}
