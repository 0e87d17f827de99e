// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { editProgram } from "./asm/edit-program.ts";
import { writeBtf } from "./btf/btf-builder.ts";
import { printC } from "./btf/c/print-c.ts";
import { deduplicateBtf } from "./btf/deduplicate.ts";
import { readBtf } from "./btf/read-btf.ts";
import { codecFor } from "./codec-for.ts";
import { printTypeScript } from "./codegen/print-typescript.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { applyCoreRelocations } from "./core/apply-core-relocations.ts";
import { disassemble } from "./disassemble.ts";
import { Instructions } from "./instruction.ts";
import { linkObjects } from "./linker/link-objects.ts";
import { parseObject } from "./parse-object.ts";

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../test-objects/${name}.bpf.o`, import.meta.url)));
}

const little = parseObject(bytesOf("twin"));
const big = parseObject(bytesOf("twin-big"));

/** The numbers that instructions are made of, whatever order their bytes are in. */
function instructions(bytes: Uint8Array, { byteOrder }: CollectionSpec): number[][] {
  const code = new Instructions(bytes, byteOrder);
  return Array.from({ length: code.length }, (_, i) => [
    ...[code.opcode(i), code.destination(i), code.source(i), code.offset(i), code.immediate(i)],
  ]);
}

/** What an object declares, with values in place of bytes and strings in place of their offsets. */
function meaning(spec: CollectionSpec): unknown {
  const { programs, maps, variables, btf, byteOrder } = spec;
  if (btf === undefined) throw new Error("the object has no BTF");
  const values = [...variables.values()].map(({ name, map, offset, typeId }) => {
    const contents = maps.get(map)?.data?.contents ?? new Uint8Array();
    return [name, codecFor(btf, typeId).decode(contents, offset)];
  });
  return {
    values,
    variables,
    maps: new Map([...maps].map(([name, { data, ...map }]) => [name, { ...map, bytes: data?.contents.length }])),
    programs: [...programs.values()].map(({ instructions: bytes, lineInfo, ...program }) => ({
      ...program,
      instructions: instructions(bytes, spec),
      lines: lineInfo.map((line) => [line.instruction, btf.string(line.lineOffset), line.lineColumn]),
      text: disassemble({ ...program, instructions: bytes, lineInfo }, { btf, byteOrder, lines: true }),
      relocated: instructions(applyCoreRelocations({ ...program, instructions: bytes, lineInfo }, btf, btf), spec),
    })),
  };
}

describe("a big-endian object", () => {
  it("means the same as its little-endian twin: maps, values, programs, lines, CO-RE", () => {
    expect([little.byteOrder, big.byteOrder]).toEqual(["little", "big"]);
    expect(big.programs.size).toBe(2);
    expect(meaning(big)).toEqual(meaning(little));
    expect(meaning(big)).toMatchObject({
      values: expect.arrayContaining([
        ["threshold", -1234],
        ["example", expect.objectContaining({ id: 0x01020304, low: 5, high: 300, time: 2n ** 40n, color: "GREEN" })],
      ]),
    });
    expect(big.programs.get("drop")?.kernelVersion).toBe(0x050607);
  });

  it("has the same types, in C, in TypeScript, and written in the other order", () => {
    const [ours, theirs] = [big.btf, little.btf];
    if (ours === undefined || theirs === undefined) throw new Error("no BTF");
    expect(printC(ours)).toBe(printC(theirs));
    expect(printTypeScript(ours)).toBe(printTypeScript(theirs));
    const turned = readBtf(writeBtf(ours, "little"));
    for (let id = 1; id < ours.typeCount; id++) expect(turned.typeById(id)).toEqual(theirs.typeById(id));
    expect(deduplicateBtf(ours).ids).toEqual(deduplicateBtf(theirs).ids);
    expect(ours.idsByEssentialName("record")).toEqual(theirs.idsByEssentialName("record"));
  });

  it("is shown and edited in its own order, which its types tell", () => {
    for (const { programs, btf, byteOrder } of [little, big]) {
      for (const program of programs.values()) {
        expect(disassemble(program, { btf })).toBe(disassemble(program, { btf, byteOrder }));
        expect(editProgram(program, () => undefined, { btf })).toEqual(program);
      }
    }
    const [program] = big.programs.values();
    if (program === undefined) throw new Error("no program");
    expect(disassemble(program, { btf: big.btf })).not.toBe(
      disassemble(program, { btf: big.btf, byteOrder: "little" }),
    );
  });

  it("means the same when it is linked with itself", () => {
    const linked = (name: string) => parseObject(linkObjects([{ name, bytes: bytesOf(name) }]));
    expect(meaning(linked("twin-big"))).toEqual(meaning(linked("twin")));
  });
});
