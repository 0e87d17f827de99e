// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printTypeScript } from "../codegen/print-typescript.ts";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError, SkepError } from "../errors.ts";
import { BtfBuilder, writeBtf } from "./btf-builder.ts";
import { printC, vmlinuxHeader } from "./c/print-c.ts";
import { deduplicateBtf } from "./deduplicate.ts";
import { readBtf } from "./read-btf.ts";
import { BtfKind, type BtfType } from "./types.ts";

const elf = readElf(new Uint8Array(readFileSync(new URL("../../test-objects/core.bpf.o", import.meta.url))));
const sound = elf.sections.find(({ name }) => name === ".BTF")?.bytes ?? new Uint8Array();
const int: BtfType = {
  ...{ kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0 },
  ...{ signed: true, char: false, bool: false },
};

/** What an action throws on purpose; anything else, a stack overflow too, fails the test. */
function refusal(action: () => unknown): SkepError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (!(error instanceof SkepError)) throw error;
    return error;
  }
}

describe("printing, writing and deduplicating hostile types", () => {
  it("either works or is refused, whatever bytes are changed", () => {
    const change = fc.tuple(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = sound.slice();
        for (const [at, value] of changes) bytes[at] = value;
        refusal(() => {
          const btf = readBtf(bytes);
          for (const action of [printC, vmlinuxHeader, printTypeScript, writeBtf, deduplicateBtf]) {
            refusal(() => action(btf));
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it("refuses anonymous structs that hold each other in more ways than can be written", () => {
    const builder = new BtfBuilder();
    let type = builder.add({ kind: BtfKind.STRUCT, name: "", size: 0, members: [] });
    for (let level = 0; level < 40; level++) {
      const members = ["a", "b"].map((name) => ({ name, type, bitOffset: 0, bitSize: 0 }));
      type = builder.add({ kind: BtfKind.STRUCT, name: level === 39 ? "outer" : "", size: 0, members });
    }
    const btf = readBtf(builder.build());
    expect(refusal(() => printC(btf))).toBeInstanceOf(MalformedError);
    expect(refusal(() => printTypeScript(btf))).toBeInstanceOf(MalformedError);
  });

  it("does not write out gigabytes of padding", () => {
    const builder = new BtfBuilder();
    builder.add({ kind: BtfKind.STRUCT, name: "vast", size: 0xffff_fff0, members: [] });
    expect(printC(readBtf(builder.build()))).toBe("struct vast {\n\tunsigned char __opaque[4294967280];\n};\n\n");
  });

  it("tells the types of long chains apart without comparing each with each", { timeout: 20_000 }, () => {
    const builder = new BtfBuilder();
    builder.add(int);
    const length = 30_000;
    for (let id = 1; id < length; id++) builder.add({ kind: BtfKind.PTR, name: "", type: id });
    const btf = readBtf(builder.build());
    expect(readBtf(deduplicateBtf(btf).bytes).typeCount).toBe(length + 1);
  });

  it("gives up forward declarations that lead from one doubt to the next", () => {
    const builder = new BtfBuilder();
    builder.add(int);
    // Two structs of each name: one points to a forward declaration of the next name, the other to its second struct.
    // They are equal as long as those of the next name are, and of the last name they are not.
    const count = 100;
    for (let i = 0; i < count; i++) {
      const forward = builder.add({ kind: BtfKind.FWD, name: `s${i + 1}`, union: false });
      const next = forward + (i === count - 1 ? 5 : 9);
      for (const inner of [forward, next]) {
        const type = builder.add({ kind: BtfKind.PTR, name: "", type: inner });
        const members = [{ name: "m", type, bitOffset: 0, bitSize: 0 }];
        builder.add({ kind: BtfKind.STRUCT, name: `s${i}`, size: 8, members });
      }
    }
    for (const name of ["x", "y"]) {
      const members = [{ name, type: 1, bitOffset: 0, bitSize: 0 }];
      builder.add({ kind: BtfKind.STRUCT, name: "s100", size: 8, members });
    }
    const btf = readBtf(builder.build());
    expect(readBtf(deduplicateBtf(btf).bytes).typeCount).toBe(btf.typeCount);
  });
});
