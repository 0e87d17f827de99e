// SPDX-License-Identifier: Apache-2.0

import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BtfBuilder } from "../../packages/ebpf/src/btf/btf-builder.ts";
import { readBtf } from "../../packages/ebpf/src/btf/read-btf.ts";
import { readElf } from "../../packages/ebpf/src/elf/read-elf.ts";
import { btfSubset } from "../../packages/ebpf/src/fuzz/btf-subset.ts";
import { type BtfSeed, btfSeed, fuzzBtf } from "../../packages/ebpf/src/fuzz/fuzz-btf.ts";
import { fuzzLinker, fuzzObject } from "../../packages/ebpf/src/fuzz/fuzz-object.ts";
import type { FuzzResult } from "../../packages/ebpf/src/fuzz/fuzz-result.ts";
import { fuzzSeed } from "../../packages/ebpf/src/fuzz/mutate-object.ts";
import { parseObject } from "../../packages/ebpf/src/parse-object.ts";

const root = join(import.meta.dirname, "../..");
const KERNEL_TYPES = "/sys/kernel/btf/vmlinux";

/** What can be fuzzed. */
export type FuzzTarget = "elf" | "btf" | "vm";

/** What a worker reports now and then: a line of JSON. */
export interface Batch {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly count: number;
  readonly rate: number;
  readonly slowest: number;
  readonly slowestSeed: number;
  /** What the inputs of the batch made happen how often, for targets that count it. */
  readonly histogram?: Readonly<Record<string, number>>;
}

/** How one seed number is put to use, and how long that may take. */
export interface Fuzzer {
  readonly slowMilliseconds: number;
  run(number: number): FuzzResult;
  /** What all inputs so far made happen, for targets that count it. */
  histogram?(): Record<string, number>;
}

export function isFuzzTarget(name: string | undefined): name is FuzzTarget {
  return name === "elf" || name === "btf" || name === "vm";
}

/** Reads the seeds of a target. */
export async function fuzzer(target: FuzzTarget): Promise<Fuzzer> {
  if (target !== "vm") return target === "elf" ? elfFuzzer() : btfFuzzer();
  // It needs a kernel, and the right to load programs into it.
  const { VmFuzzer } = await import("./vm/vm-fuzzer.ts");
  return new VmFuzzer();
}

function testObjects(): { name: string; bytes: Uint8Array }[] {
  return globSync("packages/ebpf/test-objects/*.bpf.o", { cwd: root })
    .sort()
    .map((path) => ({ name: basename(path), bytes: new Uint8Array(readFileSync(join(root, path))) }));
}

function elfFuzzer(): Fuzzer {
  const seeds = testObjects().map(({ name, bytes }) => fuzzSeed(name, bytes));
  return {
    slowMilliseconds: 250,
    run: (number) => {
      const parsed = fuzzObject(seeds, number);
      fuzzLinker(seeds, number);
      return parsed;
    },
  };
}

function btfFuzzer(): Fuzzer {
  const objects = testObjects();
  const seeds: BtfSeed[] = objects.flatMap(({ name, bytes }) => {
    const section = readElf(bytes).sections.find((found) => found.name === ".BTF");
    return section === undefined ? [] : [btfSeed(name, section.bytes.slice())];
  });
  if (existsSync(KERNEL_TYPES)) {
    const kernel = readBtf(new Uint8Array(readFileSync(KERNEL_TYPES)));
    for (const name of ["task_struct", "sk_buff", "bpf_prog"]) {
      seeds.push(btfSeed(`kernel ${name}`, btfSubset(kernel, [name, "bpf_kfunc"], 400)));
    }
  }
  for (const { name, bytes } of seeds.slice(0, 3)) {
    const base = readBtf(bytes);
    const builder = new BtfBuilder(base.byteOrder, base);
    for (let id = 1; id < base.typeCount; id++) {
      const type = base.typeById(id);
      builder.add(
        "name" in type && type.name !== "" && "members" in type ? { ...type, name: `${type.name}_split` } : type,
      );
    }
    seeds.push(btfSeed(`split on ${name}`, builder.build(), base));
  }
  const programs = objects
    .filter(({ name }) => name === "core.bpf.o")
    .flatMap(({ bytes }) => {
      const { programs: parsed, btf } = parseObject(bytes);
      return btf === undefined ? [] : [...parsed.values()].map((program) => ({ program, btf }));
    });
  return { slowMilliseconds: 1000, run: (number) => fuzzBtf(seeds, programs, number) };
}
