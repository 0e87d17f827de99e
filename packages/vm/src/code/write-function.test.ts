// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modes, TestProgram, validated } from "./code.test-kit.ts";
import { controlFlow } from "./control-flow.ts";
import { structureOf } from "./structure.ts";

/** Where each block goes when its bit of r2 is 0 and when it is 1. */
type Graph = readonly (readonly [number, number])[];

/** Each block mixes its number into r0 and ends the program after 200 steps; a bit of a generator in r2 chooses the way. */
function assembly(graph: Graph): string {
  const blocks = graph.map(
    ([zero, one], block) => `
block${block}:
  mul %r0, 31
  add %r0, ${block + 1}
  sub %r1, 1
  jeq %r1, 0, end
  mul %r2, 1103515245
  add %r2, 12345
  mov %r3, %r2
  rsh %r3, 16
  jset %r3, 1, block${one}
  ja block${zero}`,
  );
  return `mov %r0, 0\n mov %r1, 200\n mov %r2, 7\n ja block0\n${blocks.join("")}\nend:\n exit`;
}

function model(graph: Graph): bigint {
  let r0 = 0n;
  let r2 = 7n;
  for (let block = 0, left = 200; ; ) {
    r0 = BigInt.asUintN(64, r0 * 31n + BigInt(block + 1));
    if (--left === 0) return r0;
    r2 = BigInt.asUintN(64, r2 * 1103515245n + 12345n);
    block = (graph[block] as readonly [number, number])[Number((r2 >> 16n) & 1n)] as number;
  }
}

const graphs = fc.integer({ min: 1, max: 14 }).chain((count) => {
  const target = fc.integer({ min: 0, max: count - 1 });
  return fc.array(fc.tuple(target, target), { minLength: count, maxLength: count });
});

const irreducible: Graph = [
  [1, 2],
  [2, 1],
  [1, 2],
];

describe("control flow", () => {
  it("of any shape takes the same way as in eBPF", () => {
    fc.assert(
      fc.property(graphs, fc.constantFrom(...modes), (graph, mode) => {
        expect(new TestProgram(validated(assembly(graph)), mode).run()).toBe(model(graph));
      }),
      { numRuns: 150, examples: modes.map((mode) => [irreducible.map(([a, b]) => [a, b] as [number, number]), mode]) },
    );
  });

  it("is told reducible from irreducible", () => {
    const reducible = (text: string): boolean => {
      const { code } = validated(text);
      return structureOf(controlFlow(code, 0, code.length)).reducible;
    };
    expect(reducible(assembly(irreducible))).toBe(false);
    expect(reducible("mov %r0, 5\nagain:\nsub %r0, 1\njne %r0, 0, again\nexit")).toBe(true);
  });

  it("stays shallow when thousands of branches each leave early", () => {
    const steps = Array.from(
      { length: 20_000 },
      (_, i) => `jne %r1, ${i % 7}, next${i}\n mov %r0, ${i}\n exit\nnext${i}:`,
    );
    const program = new TestProgram(validated(`mov %r0, 0\n${steps.join("\n")}\nmov %r0, 99\nexit`), modes[0]);
    expect(program.run(100)).toBe(99n);
    expect(program.run(3)).toBe(3n);
  });
});
