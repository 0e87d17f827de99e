// SPDX-License-Identifier: Apache-2.0

import { type Benchmark, type Contest, compareAll, type Measurement, type Row } from "./benchmark.ts";
import { compileC } from "./compile-c.ts";
import { emptyCall } from "./empty-call.ts";
import { JitSide } from "./vm-jit-side.ts";
import { packetCount, sumOfVerdicts, timed } from "./vm-measure.ts";
import { VmSide } from "./vm-side.ts";

const rounds = 9;
/** More than any case takes. */
const fuel = 1e9;
const packetPasses = 8000;

/** A computation without input: its name in C and in the object, and how often it runs in a round. */
interface Kernel {
  readonly case: string;
  readonly command: string;
  readonly program: string;
  readonly passes: number;
}

const kernels: readonly Kernel[] = [
  { case: "primes below 12,000", command: "prime", program: "prime", passes: 60 },
  { case: "gcd of 40,000 pairs", command: "gcd", program: "gcd", passes: 30 },
  { case: "FNV-1a, 64 KiB", command: "fnv", program: "fnv_1a", passes: 200 },
  { case: "SipHash-2-4, 64 KiB", command: "siphash", program: "siphash_2_4", passes: 600 },
  { case: "internet checksum, 1 MiB", command: "checksum", program: "internet_checksum", passes: 300 },
  { case: "shellsort, 4096 numbers", command: "shellsort", program: "shell_sort", passes: 60 },
];

const helperPasses = 5000;
const incrementPasses = 4000;

/** A case on every side that has it. */
interface Trial {
  readonly case: string;
  readonly unit: string;
  readonly vm: (side: VmSide) => Measurement;
  readonly native: () => Measurement;
  readonly jit?: (side: JitSide) => Measurement;
}

/** eBPF in WebAssembly beside the same C compiled by gcc, beside the kernel's JIT, and beside itself with more checks. */
export const vm: Benchmark = {
  name: "vm",
  description: "the userspace engine beside the same C natively and in the kernel, with and without fuel and regions",
  reference: "reference",
  async run(report) {
    using native = compileC("vm.c");
    using jit = new JitSide();
    using bare = new VmSide({ fuel: false, regions: false });
    using fueled = new VmSide({ fuel, regions: false });
    using confined = new VmSide({ fuel, regions: true });
    const empty = emptyCall();

    const trials = trialsOf((command, passes) => native.measure(command, String(passes)));
    const contests = trials.flatMap(({ case: name, unit, vm: run, native: reference, jit: inKernel }): Contest[] => [
      { case: name, unit, ours: () => run(bare), reference },
      ...(inKernel === undefined
        ? []
        : [{ case: `${name}: by the kernel's JIT`, unit, ours: () => run(bare), reference: () => inKernel(jit) }]),
      { case: `${name}: fuel by none`, unit, ours: () => run(fueled), reference: () => run(bare) },
      { case: `${name}: fuel and regions by fuel`, unit, ours: () => run(confined), reference: () => run(fueled) },
    ]);
    contests.push({
      case: "empty program: by an empty WebAssembly call",
      unit: "ns",
      ours: () => bare.callEmpty(packetPasses),
      reference: () => measureEmpty(empty),
    });
    const rows = await compareAll(contests, rounds, report);
    return [...rows, ...aims(rows)];
  },
};

function trialsOf(native: (command: string, passes: number) => Measurement): Trial[] {
  const computing = kernels.map(
    ({ case: name, command, program, passes }): Trial => ({
      case: name,
      unit: "µs",
      vm: (side) => side.compute(program, passes),
      native: () => native(command, passes),
      jit: (side) => side.compute(program, passes),
    }),
  );
  return [
    ...computing,
    {
      case: singly,
      unit: "ns",
      vm: (side) => side.parseSingly(packetPasses),
      native: () => native("parse-singly", packetPasses),
      jit: (side) => side.parse(packetPasses),
    },
    {
      case: batched,
      unit: "ns",
      vm: (side) => side.parseBatch(packetPasses),
      native: () => native("parse-batch", packetPasses),
      // The kernel's loop over a packet is all that it has of batches.
      jit: (side) => side.parse(packetPasses),
    },
    {
      case: increments,
      unit: "µs",
      vm: (side) => side.increment(incrementPasses),
      native: () => native("increment", incrementPasses),
      jit: (side) => side.increment(incrementPasses),
    },
    {
      case: "1000 × empty helper, in JavaScript",
      unit: "µs",
      vm: (side) => side.compute("own_helper", helperPasses),
      native: () => native("helper", helperPasses),
    },
    {
      case: "1000 × bpf_get_numa_node_id",
      unit: "µs",
      vm: (side) => side.compute("kernel_helper", helperPasses),
      native: () => native("helper", helperPasses),
      jit: (side) => side.compute("kernel_helper", helperPasses),
    },
  ];
}

const singly = "packet parse, one call each";
const batched = "packet parse, in a batch";
const increments = "1000 × map lookup and increment";

/** Calls from JavaScript, as of packets one by one. */
function measureEmpty(empty: (context: number) => number): Measurement {
  const verdicts = new Uint32Array(packetCount);
  return timed(packetPasses, packetCount, () => {
    for (let i = 0; i < packetCount; i++) verdicts[i] = empty(i);
    return sumOfVerdicts(verdicts);
  });
}

/** What was to be reached, of the rows above: the figure, beside it the aim. */
function aims(rows: readonly Row[]): Row[] {
  const row = (name: string): Row => {
    const found = rows.find((each) => each.case === name);
    if (found === undefined) throw new Error(`no row "${name}"`);
    return found;
  };
  const beside = kernels.map(({ case: name }) => row(name).ratio);
  const fueled = kernels.map(({ case: name }) => row(`${name}: fuel by none`).ratio);
  const empty = row("empty program: by an empty WebAssembly call");
  return [
    aim("six kernels by gcc -O2, geometric mean", geometricMean(beside), 1.08),
    aim("six kernels by gcc -O2, the worst", Math.max(...beside), 1.2),
    aim("six kernels, fuel by none, the worst", Math.max(...fueled), 1.15),
    aim("map increments by gcc -O2", row(increments).ratio, 1.3),
    aim("packets in a batch by gcc -O2", row(batched).ratio, 2),
    aim("packet parse beyond an empty WebAssembly call", row(singly).value - empty.reference, 10, "ns"),
  ];
}

function aim(what: string, value: number, reference: number, unit = "ratio"): Row {
  return { case: `aim: ${what}`, value, unit, reference, ratio: value / reference };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
