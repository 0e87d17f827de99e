// SPDX-License-Identifier: Apache-2.0

import {
  type CollectionSpec,
  InvalidValueError,
  load,
  NotFoundError,
  type ProgramSpec,
  programTypeName,
  type RunResult,
  verdictName,
  verdictNames,
} from "@skep/ebpf";
import { describePacket, LinkType } from "@skep/packet";
import { contextLayout } from "@skep/vm";
import { type MapContents, MapObserver } from "../bpf/map-observer.ts";
import { packetsOf } from "../bpf/packet-input.ts";
import { runInput } from "../bpf/run-context.ts";
import { type EngineName, RunEngine } from "../bpf/run-engine.ts";
import { formatMapValue } from "../bpf/value-text.ts";
import { type OutputFormat, printData } from "../output/format.ts";
import { print } from "../output/print.ts";
import { printable, printableJson } from "../output/safe-text.ts";
import { layOut } from "../output/table.ts";
import { readObjectFile } from "../read-object-file.ts";

interface RunCommandOptions {
  readonly program?: string;
  readonly engine: EngineName;
  readonly data?: string;
  readonly context?: string;
  readonly repeat?: number;
  readonly maps?: boolean;
  readonly output: OutputFormat;
}

/** A packet as it is shown. */
interface ShownPacket {
  readonly length: number;
  /** In one line. */
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** A run as it is shown. */
interface ShownRun {
  readonly verdict: string;
  readonly returned: number;
  /** Mean nanoseconds, when it was run more than once. */
  readonly duration?: number;
  readonly before?: ShownPacket;
  readonly after?: ShownPacket;
  readonly printed: readonly string[];
}

/** `skep bpf run FILE`: runs a program of an object on packets or a context, in an engine without a kernel unless told. */
export async function bpfRun(file: string, options: RunCommandOptions): Promise<void> {
  const object = readObjectFile(file);
  const program = chooseProgram(file, object, options.program);
  using runner = new RunEngine(options.engine, object);
  using app = load(object, { engine: runner.engine, programs: [program.name] });
  using observer = options.maps === true ? new MapObserver(app) : undefined;
  const loaded = app.program(program.name);
  const printer = options.output === "table" ? new RunTable(program, options.repeat !== undefined) : undefined;
  const runs: ShownRun[] = [];
  for await (const data of inputsOf(program, options.data)) {
    const input = runInput(object, program, options.context, data);
    const result = loaded.run({ ...input, ...(options.repeat !== undefined && { repeat: options.repeat }) });
    const run = show(program, data, result, options.repeat, runner.printed());
    if (printer === undefined) runs.push(run);
    else await print(printer.lines(run));
  }
  const maps = observer?.contents();
  if (options.output !== "table") {
    const described = { program: program.name, type: programTypeName(program.type), runs };
    await printData(maps === undefined ? described : { ...described, maps }, options.output);
  } else if (maps !== undefined) {
    await print(maps.map(mapLines).join(""));
  }
}

/** The program of that name, or the only one. */
function chooseProgram(file: string, { programs }: CollectionSpec, name: string | undefined): ProgramSpec {
  if (name !== undefined) {
    const named = programs.get(name);
    if (named === undefined) throw new NotFoundError("program", name, programs.keys());
    return named;
  }
  const [only, ...others] = programs.values();
  if (only === undefined) throw new InvalidValueError(`${file} has no programs`);
  if (others.length === 0) return only;
  throw new InvalidValueError(
    `${file} has ${programs.size} programs: ${[...programs.keys()].join(", ")}; say which by --program`,
  );
}

/** The packets, or one run without any. */
async function* inputsOf(
  program: ProgramSpec,
  data: string | undefined,
): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  const begins = contextLayout(program.type, program.expectedAttachType).packet?.begins;
  if (data !== undefined) yield* packetsOf(data);
  else if (begins === "frame" || begins === "network") {
    throw new InvalidValueError(
      `program "${program.name}" is of type ${programTypeName(program.type)}, which runs on packets: give them by --data`,
    );
  } else yield undefined;
}

function show(
  program: ProgramSpec,
  data: Uint8Array | undefined,
  { returned, duration, data: after }: RunResult,
  repeat: number | undefined,
  printed: readonly string[],
): ShownRun {
  return {
    verdict: verdictName(program.type, returned),
    returned,
    ...(repeat !== undefined && { duration }),
    ...(data !== undefined && { before: showPacket(data), after: showPacket(after) }),
    printed,
  };
}

function showPacket(bytes: Uint8Array): ShownPacket {
  return { length: bytes.length, text: describePacket(bytes, LinkType.ETHERNET), bytes };
}

/** Runs in lines under headings, printed as they come: columns are as wide as they may get. */
class RunTable {
  readonly #timed: boolean;
  readonly #widths: readonly number[];
  #count = 0;

  constructor({ type }: ProgramSpec, timed: boolean) {
    this.#timed = timed;
    const verdicts = Math.max("4294967295".length, ...verdictNames(type).map(({ length }) => length));
    this.#widths = ["100000".length, verdicts, ...(timed ? ["1000000".length] : []), "65550".length, 0];
  }

  lines({ verdict, duration, before, after, printed }: ShownRun): string {
    const rows: string[][] = this.#count === 0 ? [this.#row("#", "VERDICT", "NS/RUN", "BYTES", "PACKET")] : [];
    this.#count++;
    rows.push(
      this.#row(String(this.#count), verdict, String(duration), String(before?.length ?? ""), before?.text ?? ""),
    );
    const changed =
      before !== undefined && after !== undefined && Buffer.compare(before.bytes, after.bytes) !== 0
        ? after
        : undefined;
    if (changed !== undefined) rows.push(this.#row("", "", "", String(changed.length), `becomes ${changed.text}`));
    for (const line of printed) rows.push(this.#row("", "", "", "", `prints ${line}`));
    return rows.map((cells) => `${layOut(cells.map(printable), this.#widths)}\n`).join("");
  }

  #row(number: string, verdict: string, duration: string, bytes: string, text: string): string[] {
    return [number, verdict, ...(this.#timed ? [duration] : []), bytes, text];
  }
}

function mapLines({ name, type, entries, values }: MapContents): string {
  const lines =
    values?.map((value) => formatMapValue(value)) ??
    entries?.map(({ key, value }) => `${formatMapValue(key)}  ${formatMapValue(value)}`) ??
    [];
  return `\n${printable(name)} (${type})${lines.length === 0 ? " is empty" : ""}\n${lines.map((line) => printableJson(`  ${line}\n`)).join("")}`;
}
