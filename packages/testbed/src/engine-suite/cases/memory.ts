// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError } from "@skep/ebpf";
import { equal, throwsA } from "../assert.ts";
import { readU64, u32 } from "../bytes.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

interface Sample {
  readonly count: bigint;
  readonly size: number;
}

const mapped = (context: CaseContext) => context.map<number, Sample>("mapped");

/** Memory that programs and JavaScript share, and maps that are closed to one side. */
export const memoryCases: readonly EngineCase[] = [
  {
    name: "memory: elements are those that lookups and updates see",
    needs: ["memory"],
    run(context) {
      const map = mapped(context);
      const memory = context.use(map.memory());
      equal([memory.stride, memory.writable, memory.bytes.length], [16, true, 1600]);
      memory.set(3, { count: 2n ** 63n, size: 9 });
      equal(map.lookup(3), { count: 2n ** 63n, size: 9 });
      map.update(99, { count: 1n, size: 2 });
      equal(memory.get(99), { count: 1n, size: 2 });
      equal(readU64(memory.bytes, 99 * 16), 1n);
      equal(memory.get(98), { count: 0n, size: 0 });
    },
  },
  {
    name: "memory: elements begin at multiples of 8",
    needs: ["memory"],
    run(context) {
      const map = context.map<number, number[]>("mapped_uneven");
      const memory = context.use(map.memory());
      equal(memory.stride, 16);
      for (let i = 0; i < 20; i++) map.update(i, [i, i + 1, i + 2]);
      for (let i = 0; i < 20; i++) equal(memory.get(i), [i, i + 1, i + 2], `element ${i}`);
      memory.set(19, [7, 8, 9]);
      const value = new Uint8Array(12);
      map.lookupRaw(u32(19), value);
      equal(value, u32(7, 8, 9));
    },
  },
  {
    name: "memory: what is no element, or does not fit, is refused",
    needs: ["memory"],
    run(context) {
      const memory = context.use(mapped(context).memory());
      memory.set(0, { count: 1n, size: 1 });
      throwsA(InvalidValueError, () => memory.get(100));
      throwsA(InvalidValueError, () => memory.get(-1));
      throwsA(InvalidValueError, () => memory.get(0.5));
      throwsA(InvalidValueError, () => memory.set(100, { count: 1n, size: 1 }));
      throwsA(InvalidValueError, () => memory.set(0, { count: 2n, size: -1 }));
      equal(memory.get(0), { count: 1n, size: 1 });
    },
  },
  {
    name: "memory: closed, it is gone, and the map is not",
    needs: ["memory"],
    run(context) {
      const map = mapped(context);
      const memory = map.memory();
      memory.set(0, { count: 1n, size: 1 });
      memory.close();
      memory.close();
      equal(memory.bytes.length, 0);
      throwsA(ClosedError, () => memory.get(0));
      throwsA(ClosedError, () => memory.set(0, { count: 1n, size: 1 }));
      equal(map.lookup(0), { count: 1n, size: 1 });
    },
  },
  {
    name: "memory: only maps that are made for it have any",
    run(context) {
      throwsA(InvalidValueError, () => context.map("array").memory());
      throwsA(InvalidValueError, () => context.map("hash").memory());
    },
  },
  {
    name: "memory: of a frozen map it is for reading",
    needs: ["memory"],
    run(context) {
      const map = mapped(context);
      map.update(1, { count: 5n, size: 5 });
      map.freeze();
      const memory = context.use(map.memory());
      equal(memory.writable, false);
      equal(memory.get(1), { count: 5n, size: 5 });
      throwsA(InvalidValueError, () => memory.set(1, { count: 6n, size: 6 }));
    },
  },
  {
    name: "memory: programs write it and see what is written",
    needs: ["memory"],
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["add_mapped", "lookup_mapped"] });
      const memory = context.use(collection.map<number, bigint>("mapped").memory());
      collection.variable("key").set(63);
      collection.variable("value").set(7n);
      memory.set(63, 100n);
      context.run(collection, "add_mapped");
      equal(memory.get(63), 107n);
      memory.set(63, 5n);
      context.run(collection, "lookup_mapped");
      equal(collection.variable("found").get(), 5n);
    },
  },
  {
    name: "freezing: programs still write what is closed to others",
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["update_array", "add_array"] });
      const map = collection.map<number, bigint>("array");
      collection.variable("key").set(2);
      collection.variable("value").set(4n);
      map.freeze();
      context.run(collection, "update_array");
      context.run(collection, "add_array");
      equal(map.lookup(2), 8n);
      context.refuses("EPERM", () => map.update(2, 1n));
    },
  },
  {
    name: "BPF_F_RDONLY_PROG: programs read what others write",
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["lookup_read_only"] });
      collection.map<number, bigint>("read_only").update(3, 33n);
      collection.variable("key").set(3);
      context.run(collection, "lookup_read_only");
      equal(collection.variable("found").get(), 33n);
    },
  },
];
