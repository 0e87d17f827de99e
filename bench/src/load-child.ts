// SPDX-License-Identifier: Apache-2.0

// Skep's side of the `load` benchmark, in a process of its own: as bench/c/load.c, with the same output.
import { readFileSync } from "node:fs";
import { load, parseObject } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";

const STRUCT = 4;
const path = process.argv[2];
if (path === undefined) throw new Error("no object is named");
const names = readFileSync(0, "utf8").trim().split("\n");
// As C's libraries are there before its clock starts, so is the library that makes the system calls.
const engine = new KernelEngine();
const before = peak();

const start = process.hrtime.bigint();
const types = engine.kernelTypes();
if (types === undefined) throw new Error("the kernel shows no types");
const opened = process.hrtime.bigint();
let sum = 0;
for (const name of names) sum += types.idsByName(name, STRUCT)[0] ?? 0;
const found = process.hrtime.bigint();
using collection = load(parseObject(readFileSync(path)), { engine });
const loaded = process.hrtime.bigint();
const grown = peak() - before;
console.log([opened - start, found - opened, loaded - found, sum, collection.programs.size, grown].join(" "));

/** KiB. */
function peak(): number {
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
}
