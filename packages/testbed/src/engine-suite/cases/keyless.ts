// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import { equal, ok, throwsA } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

const EEXIST = -17n;
const E2BIG = -7n;
const ENOENT = -2n;

/** Without its programs. */
const mapOf = (context: CaseContext, name: string) =>
  context.load("suite-keyless", { programs: [`peek_${name}`] }).map<never, bigint>(name);

function programs(context: CaseContext, names: readonly string[]) {
  const collection = context.load("suite-keyless", { programs: names });
  const result = collection.variable<bigint>("result");
  const taken = collection.variable<bigint>("taken");
  const run = (program: string, given = 0n): bigint => {
    collection.variable("given").set(given);
    context.run(collection, program);
    return result.get();
  };
  return { collection, run, taken };
}

/** Queues, stacks and bloom filters, from outside and by programs. */
export const keylessCases: readonly EngineCase[] = [
  {
    name: "queue: the first in is the first out",
    run(context) {
      const map = mapOf(context, "queue");
      equal(map.pop(), undefined);
      equal(map.peek(), undefined);
      for (const value of [1n, 2n ** 64n - 1n, 3n]) map.push(value);
      equal(map.peek(), 1n);
      equal([map.pop(), map.pop(), map.pop(), map.pop()], [1n, 2n ** 64n - 1n, 3n, undefined]);
    },
  },
  {
    name: "stack: the last in is the first out",
    run(context) {
      const map = mapOf(context, "stack");
      equal(map.pop(), undefined);
      for (const value of [1n, 2n, 3n]) map.push(value);
      equal(map.peek(), 3n);
      equal([map.pop(), map.pop(), map.pop(), map.pop()], [3n, 2n, 1n, undefined]);
    },
  },
  {
    name: "queue: a full one refuses with E2BIG, or drops the oldest",
    run(context) {
      const map = mapOf(context, "queue");
      for (const value of [1n, 2n, 3n]) map.push(value);
      context.refuses("E2BIG", () => map.push(4n));
      map.push(5n, { replace: true });
      equal([map.pop(), map.pop(), map.pop(), map.pop()], [2n, 3n, 5n, undefined]);
    },
  },
  {
    name: "stack: a full one refuses with E2BIG, or drops as the kernel does",
    run(context) {
      const map = mapOf(context, "stack");
      for (const value of [1n, 2n, 3n]) map.push(value);
      context.refuses("E2BIG", () => map.push(4n));
      map.push(5n, { replace: true });
      equal(map.pop(), 5n);
      equal([map.pop(), map.pop(), map.pop()], [3n, 2n, undefined]);
    },
  },
  {
    name: "queue: it goes round many times",
    run(context) {
      const map = mapOf(context, "queue");
      map.push(100n);
      for (let i = 0n; i < 50n; i++) {
        map.push(i);
        map.pop();
      }
      equal(map.pop(), 49n);
      equal(map.pop(), undefined);
    },
  },
  {
    name: "queue: it has no keys and no filter",
    run(context) {
      const map = mapOf(context, "queue");
      throwsA(InvalidValueError, () => map.has(1n));
      throwsA(InvalidValueError, () => map.records());
      throwsA(InvalidValueError, () => map.push(2n ** 64n));
      equal(map.pop(), undefined);
    },
  },
  {
    name: "queue: programs push, peek and pop",
    run(context) {
      const { collection, run, taken } = programs(context, ["push_queue", "peek_queue", "pop_queue", "replace_queue"]);
      equal(run("pop_queue"), ENOENT);
      equal([run("push_queue", 1n), run("push_queue", 2n), run("push_queue", 3n)], [0n, 0n, 0n]);
      equal(run("push_queue", 4n), E2BIG);
      equal(run("replace_queue", 5n), 0n);
      equal(run("peek_queue"), 0n);
      equal(taken.get(), 2n);
      equal(collection.map("queue").pop(), 2n, "what comes out outside");
      equal(run("pop_queue"), 0n);
      equal(taken.get(), 3n);
    },
  },
  {
    name: "stack: programs push, peek and pop",
    run(context) {
      const { collection, run, taken } = programs(context, ["push_stack", "peek_stack", "pop_stack", "replace_stack"]);
      equal(run("peek_stack"), ENOENT);
      equal([run("push_stack", 1n), run("push_stack", 2n), run("push_stack", 3n)], [0n, 0n, 0n]);
      equal(run("push_stack", 4n), E2BIG);
      equal(run("replace_stack", 5n), 0n);
      equal(run("pop_stack"), 0n);
      equal(taken.get(), 5n);
      equal(collection.map("stack").pop(), 3n, "what comes out outside");
    },
  },
  {
    name: "bloom filter: it knows what it was given, and little else",
    run(context) {
      const map = mapOf(context, "bloom");
      for (let i = 0n; i < 500n; i++) map.push(i * 7n);
      for (let i = 0n; i < 500n; i++) ok(map.has(i * 7n), `it does not know ${i * 7n}`);
      let wrong = 0;
      for (let i = 5000n; i < 6000n; i++) if (map.has(i * 7n)) wrong++;
      ok(wrong < 300, `it takes ${wrong} of 1000 strange values for its own`);
    },
  },
  {
    name: "bloom filter: programs push and ask, and see what was pushed outside",
    run(context) {
      const { collection, run } = programs(context, ["push_bloom", "peek_bloom"]);
      equal(run("peek_bloom", 5n), ENOENT);
      equal(run("push_bloom", 5n), 0n);
      equal(run("peek_bloom", 5n), 0n);
      const map = collection.map("bloom");
      equal(map.has(5n), true);
      map.push(6n);
      equal(run("peek_bloom", 6n), 0n);
      ok(EEXIST !== run("push_bloom", 6n), "a value that is there is refused");
    },
  },
  {
    name: "bloom filter: nothing comes out of it",
    run(context) {
      const map = mapOf(context, "bloom");
      map.push(1n);
      context.refuses("ENOTSUPP", () => map.pop());
      equal(map.has(1n), true);
    },
  },
];
