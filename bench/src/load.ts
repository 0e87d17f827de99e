// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readBtf } from "@skep/ebpf";
import { type Benchmark, median, type Row } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";

const STRUCT = 4;
const wantedNames = 100;
const rounds = 15;
const object = fileURLToPath(new URL("../bpf/load.bpf.o", import.meta.url));

/** What one process took: nanoseconds a step, and KiB that its peak grew by. */
interface Run {
  readonly open: number;
  readonly find: number;
  readonly load: number;
  readonly memory: number;
  /** Sum of the ids found, and programs loaded: equal on both sides. */
  readonly checksum: string;
}

/** A process that opens the kernel's types and loads thirty programs, and ends: cold on both sides. */
export const loading: Benchmark = {
  name: "load",
  description: "opening the kernel's types, finding 100 structs, loading 30 CO-RE programs, in a new process each time",
  reference: "C (libbpf)",
  async run(report) {
    using reference = compileC("load.c", ["-lbpf"]);
    const names = structNames();
    const sides = {
      ours: () =>
        run(process.execPath, [...process.execArgv, fileURLToPath(new URL("load-child.ts", import.meta.url))], names),
      theirs: () => run(reference.path, [], names),
    };
    const [mine, others]: [Run[], Run[]] = [[], []];
    for (let round = 0; round <= rounds; round++) {
      const [one, other] = [sides.ours(), sides.theirs()];
      if (one.checksum !== other.checksum)
        throw new Error(`found and loaded ${one.checksum}, wanted ${other.checksum}`);
      // The first brings the files into memory.
      if (round === 0) continue;
      mine.push(one);
      others.push(other);
      report(`round ${round}/${rounds}`);
    }
    const row = (name: string, unit: string, figure: (run: Run) => number): Row => {
      const [value, other] = [median(mine.map(figure)), median(others.map(figure))];
      return { case: name, value, unit, reference: other, ratio: value / other };
    };
    return [
      row("open the kernel's types", "ms", ({ open }) => open / 1e6),
      row(`find ${wantedNames} structs by name`, "ms", ({ find }) => find / 1e6),
      row("open and load 30 CO-RE programs", "ms", ({ load }) => load / 1e6),
      row("all three", "ms", ({ open, find, load }) => (open + find + load) / 1e6),
      row("memory that the process grew by", "MiB", ({ memory }) => memory / 1024),
    ];
  },
};

function run(program: string, args: readonly string[], names: readonly string[]): Run {
  const output = execFileSync(program, [...args, object], { encoding: "latin1", input: names.join("\n") });
  const [open, find, load, sum, programs, memory] = output.trim().split(" ").map(Number);
  if (open === undefined || find === undefined || load === undefined || memory === undefined) {
    throw new Error(`${program} printed "${output.trim()}", six numbers are wanted`);
  }
  return { open, find, load, memory, checksum: `${sum}, ${programs}` };
}

/** Structs from all over the table, none of whose names occurs twice. */
function structNames(): string[] {
  const types = readBtf(readFileSync("/sys/kernel/btf/vmlinux"));
  const names: string[] = [];
  const step = Math.floor(types.typeCount / (4 * wantedNames));
  for (let start = 1; start < types.typeCount && names.length < wantedNames; start += step) {
    for (let id = start; id < Math.min(start + step, types.typeCount); id++) {
      const { kind, name } = types.typeById(id);
      if (kind !== STRUCT || name === "" || types.idsByName(name).length !== 1) continue;
      names.push(name);
      break;
    }
  }
  if (names.length < wantedNames) throw new Error(`the kernel's types have ${names.length} of ${wantedNames} structs`);
  return names;
}
