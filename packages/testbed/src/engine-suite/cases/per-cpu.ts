// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import { equal, ok, throwsA } from "../assert.ts";
import { u32 } from "../bytes.ts";
import type { CaseContext } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

interface Key {
  readonly id: number;
  readonly port: number;
}

interface Value {
  readonly packets: bigint;
  readonly balance: number;
  readonly name: string;
}

const keyOf = (id: number): Key => ({ id, port: 0 });

/** Possible CPUs, as values of 24 bytes show it. */
const cpusOf = (map: { readonly rawValueSize: number }): number => map.rawValueSize / 24;

/** A value for each CPU that tells them apart. */
const valuesFor = (cpus: number, base = 0): Value[] =>
  Array.from({ length: cpus }, (_, cpu) => ({ packets: BigInt(base + cpu), balance: 0 - cpu, name: `cpu ${cpu}` }));

const hash = (context: CaseContext) => context.map<Key, Value[]>("percpu_hash");
const array = (context: CaseContext) => context.map<number, Value[]>("percpu_array");

/** Maps with a value for each CPU, from outside. */
export const perCpuCases: readonly EngineCase[] = [
  {
    name: "per-CPU array: each CPU has its own value",
    run(context) {
      const map = array(context);
      const cpus = cpusOf(map);
      ok(Number.isInteger(cpus) && cpus > 0, `values have ${map.rawValueSize} bytes`);
      equal(map.lookup(0), new Array(cpus).fill({ packets: 0n, balance: 0, name: "" }));
      map.update(3, valuesFor(cpus, 100));
      equal(map.lookup(3), valuesFor(cpus, 100));
      equal(map.lookup(2), new Array(cpus).fill({ packets: 0n, balance: 0, name: "" }));
      equal(map.lookup(4), undefined);
    },
  },
  {
    name: "per-CPU array: past the end E2BIG, and no deleting",
    run(context) {
      const map = array(context);
      const values = valuesFor(cpusOf(map));
      context.refuses("E2BIG", () => map.update(4, values));
      context.refuses("EEXIST", () => map.update(1, values, "create"));
      context.refuses("EINVAL", () => map.delete(1));
      equal([...map.keys()], [0, 1, 2, 3]);
    },
  },
  {
    name: "per-CPU hash: entries are added, replaced, found and taken out",
    run(context) {
      const map = hash(context);
      const cpus = cpusOf(map);
      map.update(keyOf(1), valuesFor(cpus, 10), "create");
      context.refuses("EEXIST", () => map.update(keyOf(1), valuesFor(cpus), "create"));
      context.refuses("ENOENT", () => map.update(keyOf(2), valuesFor(cpus), "replace"));
      equal(map.lookup(keyOf(1)), valuesFor(cpus, 10));
      map.update(keyOf(1), valuesFor(cpus, 20));
      equal([...map.entries()], [[keyOf(1), valuesFor(cpus, 20)]]);
      equal(map.lookupAndDelete(keyOf(1)), valuesFor(cpus, 20));
      equal(map.lookup(keyOf(1)), undefined);
    },
  },
  {
    name: "per-CPU hash: a full map refuses a new key with E2BIG",
    run(context) {
      const map = hash(context);
      const values = valuesFor(cpusOf(map));
      for (let id = 0; id < 16; id++) map.update(keyOf(id), values);
      context.refuses("E2BIG", () => map.update(keyOf(16), values));
      equal([...map.keys()].length, 16);
    },
  },
  {
    name: "per-CPU hash: batches have the values of all CPUs",
    run(context) {
      const map = hash(context);
      const cpus = cpusOf(map);
      for (let id = 0; id < 10; id++) map.update(keyOf(id), valuesFor(cpus, id * 1000));
      const entries = [...map.entriesBatch()].sort(([a], [b]) => a.id - b.id);
      equal(entries.length, 10);
      equal(entries[7], [keyOf(7), valuesFor(cpus, 7000)]);
    },
  },
  {
    name: "per-CPU: a list of the wrong length, or no list, is refused",
    run(context) {
      const map = hash(context);
      const values = valuesFor(cpusOf(map));
      throwsA(InvalidValueError, () => map.update(keyOf(1), [...values, ...values]));
      throwsA(InvalidValueError, () => map.update(keyOf(1), []));
      throwsA(InvalidValueError, () => map.update(keyOf(1), values[0] as never));
      equal([...map.keys()], []);
    },
  },
  {
    name: "per-CPU: each value begins at a multiple of 8",
    run(context) {
      const cpus = cpusOf(array(context));
      const map = context.map<number, number[][]>("percpu_uneven");
      equal(map.rawValueSize, 16 * cpus);
      map.update(
        1,
        Array.from({ length: cpus }, (_, cpu) => [cpu, cpu + 1, cpu + 2]),
      );
      const value = new Uint8Array(map.rawValueSize).fill(0xff);
      ok(map.lookupRaw(u32(1), value), "element 1 is not there");
      for (let cpu = 0; cpu < cpus; cpu++) {
        equal(value.subarray(cpu * 16, cpu * 16 + 12), u32(cpu, cpu + 1, cpu + 2), `the value of CPU ${cpu}`);
      }
    },
  },
];
