// SPDX-License-Identifier: Apache-2.0

import type { GuideBlock, GuideSection } from "./guide-block.ts";

/** A section as a program, and what could not be made part of it. */
export interface SectionProgram {
  /** Empty when nothing of the section runs. */
  readonly code: string;
  /** Blocks that are type-checked alone, each a module. */
  readonly typedOnly: readonly string[];
  /** What does not run: where, and who runs it or why not. */
  readonly notRun: readonly string[];
}

const ENGINE = 'import { KernelEngine } from "@skep/kernel";\nusing engine = new KernelEngine();\n';

/**
 * Puts the TypeScript and the commands of a section together, in their order. Behind each block stands a call of
 * `shown`, which compares what was printed since the last one with what the guide says that it prints: the lines of
 * `// prints …`, or the text block that follows.
 */
export function sectionProgram({ blocks, after }: GuideSection, harness: string): SectionProgram {
  const parts: string[] = [];
  const typedOnly: string[] = [];
  const notRun: string[] = [];
  for (const [index, block] of blocks.entries()) {
    const { language, place, runBy, notRun: reason, file, before, text } = block;
    if (runBy !== undefined || reason !== undefined) {
      notRun.push(`${place}: ${language}, ${runBy === undefined ? reason : `run by ${runBy}`}`);
      if (language === "ts" && file === undefined && runBy !== undefined) typedOnly.push(withEngine(before + text));
      continue;
    }
    if (before !== "") parts.push(before);
    if (language === "ts" && file === undefined) {
      parts.push(
        text,
        `await guide.shown(${JSON.stringify(place)}, ${JSON.stringify(claims(block, blocks[index + 1]))});\n`,
      );
    } else if (language === "sh") {
      const commands = commandsOf(text);
      notRun.push(...commands.others.map((line) => `${place}: \`${line}\` is no command of skep`));
      const next = blocks[index + 1];
      const output = next?.language === "text" ? next.text : undefined;
      const arguments_ = [commands.skep, ...(output === undefined ? [] : [output])].map((each) => JSON.stringify(each));
      if (commands.skep.length > 0)
        parts.push(`await guide.commands(${JSON.stringify(place)}, ${arguments_.join(", ")});\n`);
    }
  }
  if (after !== "") parts.push(after);
  const body = parts.join("");
  const code =
    body === "" ? "" : `import * as guide from ${JSON.stringify(harness)};\n${withEngine(body)}\nexport {};\n`;
  return { code, typedOnly, notRun };
}

function withEngine(code: string): string {
  return /new (?:Kernel|Vm)Engine\(/.test(code) || !/\bengine\b/.test(code) ? code : ENGINE + code;
}

/** What a block says that it prints. */
function claims(block: GuideBlock, next: GuideBlock | undefined): string {
  if (next?.language === "text" && next.notRun === undefined) return next.text;
  return [...block.text.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
}

/** The lines that run `skep`, without comments, and the others. */
function commandsOf(text: string): { readonly skep: string[]; readonly others: string[] } {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/(^|\s+)#.*$/, "").trim())
    .filter((line) => line !== "");
  const skep = lines.flatMap((line) => /^(?:npx )?skep (.+)$/.exec(line)?.[1] ?? []);
  return { skep, others: lines.filter((line) => !/^(?:npx )?skep /.test(line)) };
}
