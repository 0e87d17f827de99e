// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarsestPartition } from "./coarsest-partition.ts";

/** The same by the book: everything is compared in every round, until nothing more falls apart. */
function slowly(shapes: Uint32Array, targets: readonly (readonly number[])[]): number[] {
  let classes = [...shapes];
  for (;;) {
    const numbers = new Map<string, number>();
    const next = classes.map((own, node) => {
      const key = `${own} ${targets[node]?.map((target) => classes[target]).join()}`;
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    });
    if (new Set(next).size === new Set(classes).size) return next;
    classes = next;
  }
}

/** Numbers by first occurrence, so that equal partitions are equal lists. */
function normalized(classes: Iterable<number>): number[] {
  const numbers = new Map<number, number>();
  return Array.from(classes, (own) => {
    const number = numbers.get(own) ?? numbers.size;
    numbers.set(own, number);
    return number;
  });
}

describe("coarsestPartition", () => {
  it("tells apart what comparing everything with everything does, and nothing else", () => {
    const graph = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.array(
        fc
          .integer({ min: 0, max: 3 })
          .chain((degree) => fc.array(fc.nat({ max: count - 1 }), { minLength: degree, maxLength: degree })),
        { minLength: count, maxLength: count },
      ),
    );
    fc.assert(
      fc.property(graph, (targets) => {
        const shapes = Uint32Array.from(targets, (list) => list.length);
        expect(normalized(coarsestPartition(shapes, targets))).toEqual(normalized(slowly(shapes, targets)));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps rings of one length together", () => {
    const ring = (from: number) => [[from + 1], [from + 2], [from]];
    expect(normalized(coarsestPartition(new Uint32Array(6), [...ring(0), ...ring(3)]))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(normalized(coarsestPartition(Uint32Array.of(1, 0, 0, 1, 0, 0), [...ring(0), ...ring(3)]))).toEqual([
      ...[0, 1, 2, 0, 1, 2],
    ]);
  });
});
