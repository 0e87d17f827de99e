// SPDX-License-Identifier: Apache-2.0

// npm run bench: lists the benchmarks; npm run bench -- NAME [--json]: runs one.
import { parseArgs } from "node:util";
import { benchmarks } from "./list.ts";
import { machine } from "./machine.ts";
import { table } from "./table.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [name] = positionals;
const benchmark = benchmarks.find((each) => each.name === name);
if (name === undefined) {
  for (const each of benchmarks) console.log(`${each.name.padEnd(12)} ${each.description}`);
} else if (benchmark === undefined) {
  console.error(`no benchmark "${name}"; there are ${benchmarks.map((each) => each.name).join(", ")}`);
  process.exitCode = 2;
} else {
  const progress = process.stderr.isTTY ? (text: string) => process.stderr.write(`\r\x1b[K${text}`) : () => undefined;
  const rows = await benchmark.run(progress);
  progress("");
  if (values.json) console.log(JSON.stringify({ bench: benchmark.name, rows }));
  else console.log(`${machine()}\n\n${table(rows, benchmark.reference)}`);
}
