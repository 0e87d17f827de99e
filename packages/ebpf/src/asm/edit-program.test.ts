// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { disassemble } from "../disassemble.ts";
import { InvalidValueError, MalformedError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { assemble, parseAssembly } from "./assemble.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";
import { decodeProgram } from "./decode-program.ts";
import { editProgram } from "./edit-program.ts";

const objects = ["isa", "maps", "variables", "subprograms", "core", "kernel-core", "extern"].map((name) =>
  parseObject(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url))),
);
const programs = objects.flatMap((spec) => [...spec.programs.values()].map((program) => ({ program, btf: spec.btf })));
const subprograms = objects[3]!;

/** A jump to the next instruction: it does nothing, wherever it stands. */
const nop: AssemblyInstruction = { opcode: 0x05 };

function isNop({ opcode, offset = 0, target }: AssemblyInstruction): boolean {
  return opcode === 0x05 && offset === 0 && target === undefined;
}

/** What a program does and what is known of it, jumps by the number of the instruction that they lead to, without no-ops. */
function meaning(program: ProgramSpec): unknown[] {
  const list = decodeProgram(program);
  // A jump to a no-op is one to what follows it; decoding makes jumps by 0 from no-ops.
  const kept = list.filter((each, i) => !(isNop(each) || (each.opcode === 0x05 && leadsTo(list, each) === i + 1)));
  const number = new Map(kept.map((each, i) => [each, i]));
  const place = (index: number): number => {
    for (let i = index; i < list.length; i++) {
      const found = number.get(list[i]!);
      if (found !== undefined) return found;
    }
    return -1;
  };
  return kept.map(({ labels: _, target, offset, immediate, line, functionTypeId, ...rest }, i) => {
    const index = list.indexOf(kept[i]!);
    // Lines and functions begin at the first no-op before.
    let first = index;
    while (first > 0 && !number.has(list[first - 1]!)) first--;
    const before = list.slice(first, index);
    return {
      ...rest,
      lines: [...before.map((each) => each.line), line].filter((each) => each !== undefined),
      functions: [...before.map((each) => each.functionTypeId), functionTypeId].filter((each) => each !== undefined),
      ...(target === undefined ? { offset, immediate } : { target: place(leadsTo(list, kept[i]!)) }),
    };
  });
}

function leadsTo(list: readonly AssemblyInstruction[], { target = "" }: AssemblyInstruction): number {
  return list.findIndex(({ labels }) => labels?.includes(target));
}

function bare(source: string): ProgramSpec {
  const { program } = programs[0]!;
  const { labels: _, ...parts } = assemble(source);
  return { ...program, name: "bare", ...parts };
}

function text(program: ProgramSpec): string[] {
  return disassemble(program, { lines: false })
    .split("\n")
    .flatMap((line) => /^ *\d+: \(..\) (.*)$/.exec(line)?.[1] ?? []);
}

describe("editProgram", () => {
  it("leaves a program as it is when nothing is changed", () => {
    for (const { program, btf } of programs) expect(editProgram(program, () => undefined, { btf })).toEqual(program);
  });

  it("keeps jumps and tables with what they are about, whatever is put in", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...programs),
        fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 12 }),
        (chosen, places) => {
          const { program } = chosen;
          const edited = editProgram(program, (editor) => {
            for (const [place, before] of places) {
              const index = place % editor.instructions.length;
              if (before) editor.insertBefore(index, nop);
              // Behind the last instruction of a function begins another one.
              else if (editor.instructions[index]?.opcode !== 0x95) editor.insertAfter(index, nop);
            }
          });
          expect(meaning(edited)).toEqual(meaning(program));
          for (const { instruction } of [...edited.lineInfo, ...edited.functionInfo, ...edited.mapReferences]) {
            expect(instruction).toBeLessThan(edited.instructions.length / 8);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("takes out what was put in, to the byte", () => {
    for (const { program } of programs) {
      const back = editProgram(program, (editor) => {
        for (let i = editor.instructions.length - 1; i >= 0; i--) editor.insertBefore(i, nop, nop);
        for (let i = 0; i < editor.instructions.length; i++) editor.remove(i, 2);
      });
      expect(back).toEqual(program);
    }
  });

  it("finds functions by their names, and puts code before them that their callers run", () => {
    const program = subprograms.programs.get("second")!;
    const [added] = parseAssembly("mov %r5, 7");
    const edited = editProgram(
      program,
      (editor) => {
        const index = editor.find("scale");
        expect(index).toBeGreaterThan(0);
        expect(() => editor.find("scales")).toThrow('no label "scales"; there are');
        editor.insertBefore(index, added!);
      },
      { btf: subprograms.btf },
    );
    expect(disassemble(edited, { btf: subprograms.btf, lines: false })).toMatch(/^scale:\n +\d+: \(b7\) r5 = 7$/m);
    expect(edited.functionInfo).toHaveLength(program.functionInfo.length);
  });

  it("replaces, and leads what led to something removed to what comes behind", () => {
    const program = bare("jeq %r1, 0, out\nmov %r0, 1\nout: mov %r0, 2\nlddw %r3, 1\nexit");
    const [wide] = parseAssembly("lddw %r0, 5");
    expect(text(editProgram(program, (editor) => editor.replace(1, wide!)))).toEqual([
      ...["if r1 == 0x0 goto pc+2", "r0 = 0x5", "r0 = 2", "r3 = 0x1", "exit"],
    ]);
    expect(text(editProgram(program, (editor) => editor.remove(2, 2)))).toEqual([
      ...["if r1 == 0x0 goto pc+1", "r0 = 1", "exit"],
    ]);
    expect(text(editProgram(program, (editor) => editor.replace(2)))[0]).toBe("if r1 == 0x0 goto pc+1");
    expect(() => editProgram(bare("ja out\nout: exit"), (editor) => editor.remove(1))).toThrow("behind the last");
    expect(() => editProgram(program, (editor) => editor.remove(9))).toThrow("there is no instruction 9");
  });

  it("does not let a call of a removed function go to the next one", () => {
    const program = subprograms.programs.get("second")!;
    const remove = () =>
      editProgram(
        program,
        (editor) => {
          const start = editor.find("scale");
          const end = editor.instructions.findIndex(
            ({ functionTypeId }, i) => i > start && functionTypeId !== undefined,
          );
          editor.remove(start, (end === -1 ? editor.instructions.length : end) - start);
        },
        { btf: subprograms.btf },
      );
    expect(remove).toThrow(/there is no label "L\d+"/);
  });

  it("takes a call with a target for one of a function, and refuses numbers that are none", () => {
    const program = subprograms.programs.get("second")!;
    const [call, address] = [
      { opcode: 0x85, target: "scale" },
      { opcode: 0x18, destination: 2, target: "scale" },
    ];
    const edited = editProgram(program, (editor) => editor.insertBefore(0, call, address), { btf: subprograms.btf });
    expect(disassemble(edited, { btf: subprograms.btf, lines: false })).toMatch(/call scale\n.* r2 = scale\n/);
    const kernel = editProgram(program, (editor) => editor.insertBefore(0, { opcode: 0x85, extern: "f" }));
    expect(kernel.instructions[1]).toBe(0x20);
    for (const wrong of [{ opcode: 0x1b7 }, { opcode: 0xb7, immediate: 1.5 }, { opcode: 0x61, offset: 0.5 }]) {
      expect(() => editProgram(program, (editor) => editor.replace(0, wrong))).toThrow(InvalidValueError);
    }
  });

  it("does not let a jump to the end of a function go to the next one", () => {
    const program = bare("jeq %r1, 0, out\nmov %r0, 1\nout: exit\nmov %r0, 2\nexit");
    const functionInfo = [0, 3].map((instruction) => ({ instruction, typeId: 1 }));
    const remove = (index: number) => editProgram({ ...program, functionInfo }, (editor) => editor.remove(index));
    expect(() => remove(2)).toThrow('label "L2" is behind the last instruction then');
    expect(remove(1).functionInfo.map(({ instruction }) => instruction)).toEqual([0, 2]);
  });

  it("lengthens jumps when it may, and names those that cannot reach", () => {
    const program = bare("ja out\nmov %r0, 0\nout: exit");
    const far =
      (conditional: boolean) => (editor: { insertAfter: (i: number, ...added: AssemblyInstruction[]) => void }) =>
        editor.insertAfter(conditional ? 1 : 0, ...Array<AssemblyInstruction>(40_000).fill(nop));
    expect(text(editProgram(program, far(false), { longJumps: true }))[0]).toBe("gotol pc+40001");
    expect(() => editProgram(program, far(false))).toThrow('instruction 0: jump to "L2", offset 40001 does not fit');
    const conditional = bare("jeq %r1, 0, out\nmov %r0, 0\nout: exit");
    expect(() => editProgram(conditional, far(true), { longJumps: true })).toThrow(InvalidValueError);
  });

  it("refuses tables that are about no instruction", () => {
    const program = { ...bare("lddw %r0, 1\nexit"), functionInfo: [{ instruction: 1, typeId: 1 }] };
    expect(() => editProgram(program, () => undefined)).toThrow(MalformedError);
  });
});
