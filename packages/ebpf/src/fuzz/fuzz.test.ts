// SPDX-License-Identifier: Apache-2.0

import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readElf } from "../elf/read-elf.ts";
import { SkepError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";
import { btfSeed, fuzzBtf } from "./fuzz-btf.ts";
import { fuzzLinker, fuzzObject } from "./fuzz-object.ts";
import { fuzzSeed } from "./mutate-object.ts";

const objects = fileURLToPath(new URL("../../test-objects/*.bpf.o", import.meta.url));
const seeds = globSync(objects)
  .sort()
  .map((path) => fuzzSeed(basename(path), new Uint8Array(readFileSync(path))));

const COUNT = 200_000;
const SLOW_MILLISECONDS = 250;

/** The fastest of a few tries: a pause of the machine is not the parser's. */
function confirmSlow(number: number): boolean {
  for (let i = 0; i < 5; i++) {
    if (fuzzObject(seeds, number).milliseconds <= SLOW_MILLISECONDS) return false;
  }
  return true;
}

describe("parseObject on broken objects", () => {
  it(`parses or refuses ${COUNT} of them, each quickly`, { timeout: 180_000 }, () => {
    const outcomes = new Map<string, number>();
    for (let number = 0; number < COUNT; number++) {
      // Anything that is not a SkepError is thrown on, with the seed in its message.
      const { outcome, milliseconds } = fuzzObject(seeds, number);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (milliseconds > SLOW_MILLISECONDS && confirmSlow(number)) {
        throw new Error(`seed ${number}: took more than ${SLOW_MILLISECONDS} ms`);
      }
    }
    // The mutations are worth something only if they get past the header, and not always through.
    expect(outcomes.get("parsed")).toBeGreaterThan(COUNT / 20);
    expect(outcomes.get("ERR_MALFORMED")).toBeGreaterThan(COUNT / 4);
  });
});

/** The most that parsing may take, as a multiple of the input. */
const MEMORY_FACTOR = 64;
const HEADER = 64;

/** An object made of given sections: enough for a parser that is asked to believe it. */
function forge(
  sections: readonly {
    type: number;
    flags?: number;
    link?: number;
    info?: number;
    size?: number;
    bytes?: Uint8Array;
    name?: string;
  }[],
): Uint8Array {
  const names = `\0${sections.map(({ name = "" }) => name).join("\0")}\0.strtab\0`;
  const nameBytes = new TextEncoder().encode(names);
  const all = [{ type: 0 }, ...sections, { type: 3, bytes: nameBytes, name: ".strtab" }] as typeof sections;
  const dataSize = all.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  const out = new Uint8Array(HEADER + dataSize + all.length * 64);
  const view = new DataView(out.buffer);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 247, true);
  view.setBigUint64(40, BigInt(HEADER + dataSize), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, all.length < 0xff00 ? all.length : 0, true);
  view.setUint16(62, all.length - 1, true);
  let at = HEADER;
  for (const [i, section] of all.entries()) {
    const header = HEADER + dataSize + i * 64;
    const length = section.bytes?.length ?? 0;
    if (section.bytes !== undefined) out.set(section.bytes, at);
    view.setUint32(header, section.name ? names.indexOf(`\0${section.name}\0`) + 1 : 0, true);
    view.setUint32(header + 4, section.type, true);
    view.setUint32(header + 8, section.flags ?? 0, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(section.size ?? length), true);
    view.setUint32(header + 40, section.link ?? 0, true);
    view.setUint32(header + 44, section.info ?? 0, true);
    at += length;
  }
  return out;
}

function words(count: number, fill: (index: number) => readonly number[]): Uint8Array {
  const width = fill(0).length;
  const bytes = new Uint8Array(count * width * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    for (const [j, value] of fill(i).entries()) view.setUint32((i * width + j) * 4, value, true);
  }
  return bytes;
}

function btf(types: Uint8Array, strings: Uint8Array): Uint8Array {
  const header = words(1, () => [0x0001eb9f, 24, 0, types.length, types.length, strings.length]);
  return concat(header, types, strings);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const SIZE = 512 * 1024;
const longText = new Uint8Array(SIZE).fill(0x61);
longText[0] = 0;
longText[SIZE - 1] = 0;
const exit = Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0);

const hostile: readonly (readonly [string, () => Uint8Array])[] = [
  ["a .bss of a terabyte", () => forge([{ name: ".bss", type: 8, flags: 3, size: 2 ** 40 }])],
  ["a .bss of a gigabyte", () => forge([{ name: ".bss", type: 8, flags: 3, size: 2 ** 30 }])],
  [
    "more sections than there are bytes",
    () => {
      const bytes = forge([{ type: 1 }]);
      const view = new DataView(bytes.buffer);
      view.setUint16(60, 0, true);
      view.setBigUint64(Number(view.getBigUint64(40, true)) + 32, 2n ** 50n, true);
      return bytes;
    },
  ],
  ["60,000 sections", () => forge(Array.from({ length: 60_000 }, () => ({ type: 1 })))],
  [
    "symbols whose names share one long string",
    () =>
      forge([
        { type: 2, link: 2, bytes: words(20_000, (i) => [1 + i, 0, 0, 0, 0, 0]) },
        { type: 3, bytes: longText },
      ]),
  ],
  [
    "symbols whose names share strings of the longest length",
    () =>
      forge([
        { type: 2, link: 2, bytes: words(20_000, (i) => [1 + (i % 500), 1, 0, 0, 0, 0]) },
        { type: 3, bytes: concat(Uint8Array.of(0), new Uint8Array(511).fill(0x61), Uint8Array.of(0)) },
      ]),
  ],
  [
    "types that claim more members than there are bytes",
    () =>
      forge([
        {
          name: ".BTF",
          type: 1,
          bytes: btf(
            words(1, () => [0, 0x04ffffff, 4]),
            longText,
          ),
        },
      ]),
  ],
  [
    "data sections by the thousand",
    () =>
      forge([
        {
          name: ".BTF",
          type: 1,
          bytes: btf(
            words(40_000, () => [0, 0x0f000000, 0]),
            Uint8Array.of(0),
          ),
        },
      ]),
  ],
  [
    "programs that all call one large function",
    () => {
      const programs = 2000;
      const body = new Uint8Array(SIZE);
      for (let at = 0; at < SIZE; at += 8) body.set(exit, at);
      const call = Uint8Array.of(0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff, ...exit);
      const names = new TextEncoder().encode(
        `\0big\0${Array.from({ length: programs }, (_, i) => `p${i}`).join("\0")}\0`,
      );
      const text = new TextDecoder().decode(names);
      return forge([
        { name: ".text", type: 1, flags: 6, bytes: body },
        { name: "xdp", type: 1, flags: 6, bytes: concat(...Array.from({ length: programs }, () => call)) },
        {
          type: 2,
          link: 4,
          bytes: words(programs + 1, (i) =>
            i === 0
              ? [1, 0x0001_0012, 0, 0, SIZE, 0]
              : [text.indexOf(`\0p${i - 1}\0`) + 1, 0x0002_0012, (i - 1) * 16, 0, 16, 0],
          ),
        },
        { type: 3, bytes: names },
        { type: 9, link: 3, info: 2, bytes: words(programs, (i) => [i * 16, 0, 10, 0]) },
      ]);
    },
  ],
];

describe("linkObjects on broken objects", () => {
  it("links or refuses them, and what it links can be linked again", { timeout: 60_000 }, () => {
    const outcomes = new Map<string, number>();
    for (let number = 0; number < 1000; number++) {
      const { outcome } = fuzzLinker(seeds, number);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get("parsed")).toBeGreaterThan(60);
    expect(outcomes.get("ERR_MALFORMED")).toBeGreaterThan(300);
  });
});

describe("all that reads types, on broken BTF", () => {
  it("works or refuses, and writes what it read", { timeout: 60_000 }, () => {
    const sections = seeds.flatMap(({ name, bytes }) => {
      const found = readElf(bytes).sections.find((section) => section.name === ".BTF");
      return found === undefined ? [] : [btfSeed(name, found.bytes.slice())];
    });
    const { programs, btf } = parseObject(seeds.find(({ name }) => name === "core.bpf.o")?.bytes ?? new Uint8Array());
    const relocated = [...programs.values()].flatMap((program) => (btf === undefined ? [] : [{ program, btf }]));
    const outcomes = new Map<string, number>();
    for (let number = 0; number < 800; number++) {
      const { outcome } = fuzzBtf(sections, relocated, number);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get("parsed")).toBeGreaterThan(60);
    expect(outcomes.get("ERR_MALFORMED")).toBeGreaterThan(200);
  });
});

describe("the memory that parsing takes", () => {
  it.each(hostile)(`stays within ${MEMORY_FACTOR} times the input for %s`, (_, make) => {
    const bytes = make();
    // The first parse pays for compiled code and shapes.
    attempt(bytes);
    const before = process.memoryUsage();
    const start = performance.now();
    const result = attempt(bytes);
    const elapsed = performance.now() - start;
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    // What the measuring itself and the test runner allocate.
    const slack = 1 << 20;
    expect(grown, String(result)).toBeLessThan(bytes.length * MEMORY_FACTOR + slack);
    expect(elapsed).toBeLessThan(2000);
  });

  it("is not asked for by the sound objects either", () => {
    for (const { bytes } of seeds) expect(readElf(bytes).sections.length).toBeLessThan(bytes.length / 64);
  });
});

/** The result is returned so that it is alive while memory is measured. */
function attempt(bytes: Uint8Array): unknown {
  try {
    return parseObject(bytes);
  } catch (error) {
    if (!(error instanceof SkepError)) throw error;
    return error;
  }
}
