// SPDX-License-Identifier: Apache-2.0

import { type BpfMap, ClosedError, InvalidValueError, type MapSpec } from "@skep/ebpf";
import { equal, ok, throwsA } from "../assert.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

type Inner = BpfMap<number, bigint>;

const NO_MAP = -1n;
const NO_KEY = -2n;

function nested(context: CaseContext, ...programs: string[]) {
  const collection = context.load("suite-nested", { programs });
  const call = (program: string, outerKey = 0, key = 0, value = 0n): bigint => {
    collection.variable("outer_key").set(outerKey);
    collection.variable("key").set(key);
    collection.variable("value").set(value);
    context.run(collection, program);
    return collection.variable<bigint>("result").get();
  };
  return { collection, call, value: () => collection.variable<bigint>("value").get() };
}

/** Another map that is like the pattern of the outer maps. */
function innerMap(context: CaseContext, name = "first"): Inner {
  const { maps, btf } = context.spec("suite-nested");
  using types = btf && context.engine.loadTypes(btf);
  return context.use(context.engine.createMap(maps.get(name) as MapSpec, types, btf)) as Inner;
}

/** Maps that hold maps or programs. */
export const nestedCases: readonly EngineCase[] = [
  {
    name: "array of maps: programs reach what the object put in",
    run(context) {
      const { collection, call, value } = nested(context, "read_outer_array");
      equal(call("read_outer_array", 0, 3), NO_MAP);
      equal(call("read_outer_array", 1, 3), NO_KEY);
      collection.map<number, bigint>("first").update(3, 33n);
      equal(call("read_outer_array", 1, 3), 0n);
      equal(value(), 33n);
      equal(call("read_outer_array", 4, 3), NO_MAP);
    },
  },
  {
    name: "hash of maps: programs reach what is put in later, until it is taken out",
    run(context) {
      const { collection, call, value } = nested(context, "read_outer_hash");
      const outer = collection.map<number, Inner>("outer_hash");
      equal(call("read_outer_hash", 5, 1), NO_KEY);
      equal(call("read_outer_hash", 6, 1), NO_MAP);
      const inner = innerMap(context);
      inner.update(1, 11n);
      outer.update(6, inner);
      equal(call("read_outer_hash", 6, 1), 0n);
      equal(value(), 11n);
      inner.update(1, 12n);
      call("read_outer_hash", 6, 1);
      equal(value(), 12n);
      equal(outer.delete(6), true);
      equal(outer.delete(6), false);
      equal(call("read_outer_hash", 6, 1), NO_MAP);
    },
  },
  {
    name: "maps of maps: programs write into what they find",
    run(context) {
      const { collection, call } = nested(context, "write_outer_array", "write_outer_hash");
      equal(call("write_outer_array", 1, 7, 70n), 0n);
      equal(call("write_outer_array", 1, 7, 71n), -17n);
      equal(collection.map("first").lookup(7), 70n);
      equal(call("write_outer_hash", 5, 8, 80n), 0n);
      equal(collection.map("second").lookup(8), 80n);
      for (let key = 0; key < 3; key++) equal(call("write_outer_array", 1, key, 1n), 0n);
      equal(call("write_outer_array", 1, 3, 1n), -7n);
    },
  },
  {
    name: "maps of maps: a lookup gives the map that is in there",
    needs: ["references"],
    run(context) {
      const { collection } = nested(context, "read_outer_array");
      collection.map<number, bigint>("first").update(1, 5n);
      const outer = collection.map<number, Inner>("outer_array");
      const found = outer.lookup(1);
      ok(found !== undefined, "there is no map at 1");
      context.use(found);
      equal(found.lookup(1), 5n);
      found.update(2, 6n);
      equal(collection.map("first").lookup(2), 6n);
      equal(outer.lookup(0), undefined);
      equal(outer.lookup(4), undefined);
    },
  },
  {
    name: "maps of maps: another map takes the place of one that programs use",
    needs: ["references"],
    run(context) {
      const { collection, call, value } = nested(context, "read_outer_array");
      collection.map<number, bigint>("first").update(1, 5n);
      const inner = innerMap(context);
      inner.update(1, 50n);
      collection.map<number, Inner>("outer_array").update(1, inner);
      call("read_outer_array", 1, 1);
      equal(value(), 50n);
      // The outer map keeps it.
      inner.close();
      equal(call("read_outer_array", 1, 1), 0n);
      equal(value(), 50n);
    },
  },
  {
    name: "maps of maps: what is not like the pattern, closed, or no map is refused",
    needs: ["references"],
    run(context) {
      const { collection } = nested(context, "read_outer_hash");
      const outer = collection.map<number, unknown>("outer_hash");
      const unlike = innerMap(context, "unlike");
      context.refuses("EINVAL", () => outer.update(1, unlike));
      throwsA(InvalidValueError, () => outer.update(1, "first"));
      throwsA(InvalidValueError, () => outer.update(1, { spec: {} }));
      const closed = innerMap(context);
      closed.close();
      throwsA(ClosedError, () => outer.update(1, closed));
      equal([...outer.keys()], [5]);
    },
  },
  {
    name: "array of programs: a tail call goes to what the object put in, with the context as it is",
    run(context) {
      const { collection, call } = nested(context, "jump");
      equal([...collection.programs.keys()].sort(), ["jump", "target"]);
      call("jump", 0, 3);
      equal(context.run(collection, "jump").returned, 77);
    },
  },
  {
    name: "array of programs: where there is none the caller goes on",
    run(context) {
      const { collection, call } = nested(context, "jump");
      for (const key of [0, 4, 2 ** 32 - 1]) {
        call("jump", 0, key);
        equal(context.run(collection, "jump").returned, 1, `the result of index ${key}`);
      }
    },
  },
  {
    name: "array of programs: programs are taken out and put in while others use it",
    run(context) {
      const { collection, call } = nested(context, "jump");
      const jumps = collection.map<number, unknown>("jumps");
      call("jump", 0, 3);
      equal(jumps.delete(3), true);
      equal(jumps.delete(3), false);
      equal(context.run(collection, "jump").returned, 1);
      jumps.update(3, collection.program("target"));
      equal(context.run(collection, "jump").returned, 77);
      throwsA(InvalidValueError, () => jumps.update(2, "target"));
      context.refuses("E2BIG", () => jumps.update(4, collection.program("target")));
    },
  },
  {
    name: "array of programs: a chain of tail calls ends after 33",
    needs: ["references"],
    run(context) {
      const { collection, call } = nested(context, "again");
      collection.map<number, unknown>("jumps").update(1, collection.program("again"));
      call("again", 0, 1);
      equal(collection.variable("runs").get(), 34n);
    },
  },
  {
    name: "array of programs: a tail call in a function gives its result to the function's caller",
    run(context) {
      const { collection } = nested(context, "jump_below");
      equal(context.run(collection, "jump_below").returned, 37 + 60 + 1000);
    },
  },
];
