// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError, NotFoundError } from "@skep/ebpf";
import { equal, throwsA } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

const load = (context: CaseContext, variables: Readonly<Record<string, unknown>> = {}) =>
  context.load("suite-code", { programs: ["count"], variables });

/** Global variables, before a load and after it. */
export const variableCases: readonly EngineCase[] = [
  {
    name: "variables: they begin with what the object says",
    run(context) {
      const collection = load(context);
      const names = ["constant", "wide", "narrow", "half", "byte", "negative", "flag", "colour", "zeros", "text"];
      equal(
        names.map((name) => collection.variable(name).get()),
        [7, 1n, 2, 3, 4, -5n, true, "GREEN", 0n, "skep"],
      );
      equal(collection.variable("pair").get(), { count: 4n, size: 5 });
      equal(collection.variable("words").get(), [1, 2, 3, 4]);
    },
  },
  {
    name: "variables: they begin with what the caller says",
    run(context) {
      const collection = load(context, { wide: 100n, constant: 50, pair: { count: 1n, size: 2 }, zeros: 9n });
      equal(collection.variable("wide").get(), 100n);
      equal(collection.variable("constant").get(), 50);
      equal(collection.variable("pair").get(), { count: 1n, size: 2 });
      equal(collection.variable("zeros").get(), 9n);
      equal(collection.variable("narrow").get(), 2);
    },
  },
  {
    name: "variables: programs see what the caller says of constants",
    run(context) {
      equal(context.run(load(context), "count").returned, 8);
      equal(context.run(load(context, { constant: 40, text: "x" }), "count").returned, 40);
    },
  },
  {
    name: "variables: programs change them, and see them changed",
    run(context) {
      const collection = load(context);
      const variable = (name: string) => collection.variable(name);
      context.run(collection, "count");
      variable("wide").set(2n ** 40n);
      variable("half").set(65_535);
      variable("byte").set(255);
      variable("negative").set(-1n);
      variable("pair").set({ count: 7n, size: 8 });
      variable("words").set([9, 8, 7, 2 ** 32 - 1]);
      context.run(collection, "count");
      const names = ["wide", "narrow", "half", "byte", "negative", "flag", "colour", "zeros"];
      equal(
        names.map((name) => variable(name).get()),
        [2n ** 40n + 1n, 4, 0, 0, 0n, true, "RED", 2n],
      );
      equal(variable("pair").get(), { count: 8n, size: 9 });
      equal(variable("words").get(), [10, 9, 8, 0]);
    },
  },
  {
    name: "variables: they are read and written while nothing runs",
    run(context) {
      const collection = load(context);
      const variable = collection.variable<bigint>("wide");
      variable.set(2n ** 64n - 1n);
      equal(collection.variable("wide").get(), 2n ** 64n - 1n);
      throwsA(InvalidValueError, () => variable.set(2n ** 64n));
      throwsA(InvalidValueError, () => collection.variable("narrow").set("two"));
      equal(variable.get(), 2n ** 64n - 1n);
      equal(collection.variable("narrow").get(), 2);
    },
  },
  {
    name: "variables: constants cannot be changed once they are loaded",
    run(context) {
      const collection = load(context);
      throwsA(InvalidValueError, () => collection.variable("constant").set(8));
      equal(collection.variable("constant").get(), 7);
      const memory = context.use(collection.map(".rodata").memory());
      equal(memory.writable, false);
      throwsA(InvalidValueError, () => memory.set(0, memory.get(0)));
    },
  },
  {
    name: "variables: a data section is an array of one element",
    run(context) {
      const map = load(context).map(".rodata");
      equal(map.spec.maxEntries, 1);
      equal([...map.keys()].length, 1);
      const value = new Uint8Array(map.rawValueSize);
      map.lookupRaw(new Uint8Array(4), value);
      context.refuses("EPERM", () => map.updateRaw(new Uint8Array(4), value));
    },
  },
  {
    name: "variables: unknown names and values that do not fit keep an object from being loaded",
    run(context) {
      throwsA(NotFoundError, () => load(context, { nothing: 1 }));
      throwsA(InvalidValueError, () => load(context, { narrow: 2 ** 32 }));
      throwsA(InvalidValueError, () => load(context, { text: "more than eight" }));
      throwsA(NotFoundError, () => load(context).variable("nothing"));
    },
  },
  {
    name: "variables: they go with their collection",
    run(context) {
      const collection = load(context);
      const variable = collection.variable<bigint>("wide");
      equal(variable.get(), 1n);
      collection.close();
      throwsA(ClosedError, () => variable.get());
      throwsA(ClosedError, () => variable.set(1n));
      throwsA(ClosedError, () => collection.variable("wide"));
    },
  },
  {
    name: "variables: each load has its own",
    run(context) {
      const [one, other] = [load(context), load(context)];
      one.variable("wide").set(50n);
      equal(other.variable("wide").get(), 1n);
      context.run(other, "count");
      equal([one.variable("wide").get(), other.variable("wide").get()], [50n, 2n]);
    },
  },
];
