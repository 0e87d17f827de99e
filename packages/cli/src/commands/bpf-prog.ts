// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { programTypeName } from "@skep/ebpf";
import {
  enableProgramStats,
  listMaps,
  listPrograms,
  type ObjectHolder,
  ObjectHolders,
  type ProgramInfo,
} from "@skep/kernel";
import { chooseProgram } from "../bpf/choose-object.ts";
import { age, formatHolders, timeSinceBoot } from "../bpf/describe.ts";
import { pinObject } from "../bpf/pin-object.ts";
import { formatFields } from "../output/fields.ts";
import { type OutputFormat, printData, printList } from "../output/format.ts";
import { print } from "../output/print.ts";
import { printableLines } from "../output/safe-text.ts";
import { isNarrow } from "../output/terminal.ts";

/** Bytes of machine code on a line. */
const CODE_WIDTH = 16;

/** A program as the commands print it. */
interface ListedProgram {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly tag: string;
  readonly loaded: string;
  readonly maps: readonly { readonly id: number; readonly name: string }[];
  readonly processes: readonly ObjectHolder[];
  readonly createdByUid: number;
  readonly gplCompatible: boolean;
  readonly translatedBytes: number;
  readonly jitedBytes: number;
  readonly verifiedInstructions: number;
  readonly memory: number | undefined;
  readonly btfId: number;
  /** While the command counted. */
  readonly runs?: bigint;
  readonly nanoseconds?: bigint;
}

/** `skep bpf prog list`: the programs in the kernel, and how often they run in the time that `stats` gives in seconds. */
export async function bpfProgList(options: { readonly output: OutputFormat; readonly stats?: number }): Promise<void> {
  const before = options.stats === undefined ? undefined : await countRuns(options.stats);
  const programs = describe(listPrograms(), before);
  const counted = before !== undefined;
  const narrow = isNarrow();
  const [tags, counts, mapIds] = [!narrow, counted, !narrow || !counted];
  await printList(
    programs,
    options.output,
    [
      ...["ID", "TYPE", "NAME"],
      ...(tags ? ["TAG"] : []),
      "AGE",
      ...(counts ? ["RUNS", "NS/RUN"] : []),
      ...(mapIds ? ["MAPS"] : []),
      "PROCESSES",
    ],
    ({ id, type, name, tag, loaded, maps, processes, runs = 0n, nanoseconds = 0n }) => [
      ...[String(id), type, name],
      ...(tags ? [tag] : []),
      age(new Date(loaded)),
      ...(counts ? [String(runs), runs === 0n ? "" : String(nanoseconds / runs)] : []),
      ...(mapIds ? [maps.map((map) => map.id).join(" ")] : []),
      formatHolders(processes),
    ],
  );
}

/** `skep bpf prog show`: one of them. */
export async function bpfProgShow(text: string, { output }: { readonly output: OutputFormat }): Promise<void> {
  const [program] = describe([infoOf(text)]);
  if (program === undefined) return;
  if (output !== "table") {
    await printData(program, output);
    return;
  }
  await print(
    formatFields([
      ["id", String(program.id)],
      ["type", program.type],
      ["name", program.name],
      ["tag", program.tag],
      ["loaded", `${program.loaded} by user ${program.createdByUid}`],
      ["license", program.gplCompatible ? "GPL compatible" : "not GPL compatible"],
      ["size", `${program.translatedBytes} bytes of eBPF, ${program.jitedBytes} of machine code`],
      ["verified", `${program.verifiedInstructions} instructions`],
      ["memory", program.memory === undefined ? undefined : `${program.memory} bytes`],
      ["btf", program.btfId === 0 ? undefined : String(program.btfId)],
      ["maps", program.maps.map(({ id, name }) => (name === "" ? String(id) : `${name} (${id})`)).join(", ")],
      ["processes", program.processes.map(({ pid, name }) => `${name} (${pid})`).join(", ")],
    ]),
  );
}

/** `skep bpf prog dump`: its instructions as the verifier left them, with the C lines; or its machine code. */
export async function bpfProgDump(
  text: string,
  { output, jited }: { readonly output: OutputFormat; readonly jited?: boolean },
): Promise<void> {
  using program = chooseProgram(text);
  if (jited === true) {
    const { functions, jited: code } = program.code();
    if (output !== "table") await printData({ functions, code }, output);
    else await print(formatCode(code));
    return;
  }
  if (output !== "table") await printData(program.instructions(), output);
  else await print(printableLines(program.disassemble()));
}

/** `skep bpf prog pin`: gives it a name in a BPF file system. */
export async function bpfProgPin(text: string, path: string): Promise<void> {
  using program = chooseProgram(text);
  pinObject(program, path);
}

/** Gives it up again at once: this command is none of the processes that hold it. */
function infoOf(text: string): ProgramInfo {
  using program = chooseProgram(text);
  return program.info();
}

/** Has the kernel count for a time, and returns what it had counted before. */
async function countRuns(seconds: number): Promise<ReadonlyMap<number, ProgramInfo["stats"]>> {
  const before = new Map(listPrograms().map(({ id, stats }) => [id, stats]));
  using _counting = enableProgramStats();
  await sleep(seconds * 1000);
  return before;
}

function describe(
  programs: readonly ProgramInfo[],
  before?: ReadonlyMap<number, ProgramInfo["stats"]>,
): ListedProgram[] {
  const names = new Map(listMaps().map(({ id, name }) => [id, name]));
  const holders = new ObjectHolders();
  return programs.map((program) => {
    const earlier = before?.get(program.id) ?? { runs: 0n, nanoseconds: 0n };
    const { runs, nanoseconds } = program.stats;
    return {
      id: program.id,
      type: programTypeName(program.type),
      name: program.name,
      tag: program.tag,
      loaded: timeSinceBoot(program.loadTime).toISOString(),
      maps: program.mapIds.map((id) => ({ id, name: names.get(id) ?? "" })),
      processes: holders.of("program", program.id),
      createdByUid: program.createdByUid,
      gplCompatible: program.gplCompatible,
      translatedBytes: program.translated.length,
      jitedBytes: program.jitedSize,
      verifiedInstructions: program.verifiedInstructions,
      memory: program.memory,
      btfId: program.btfId,
      ...(before !== undefined && {
        runs: runs - earlier.runs,
        nanoseconds: nanoseconds - earlier.nanoseconds,
      }),
    };
  });
}

function formatCode(code: Uint8Array): string {
  let text = "";
  for (let at = 0; at < code.length; at += CODE_WIDTH) {
    const bytes = [...code.subarray(at, at + CODE_WIDTH)].map((byte) => byte.toString(16).padStart(2, "0"));
    text += `${at.toString(16).padStart(4, "0")}: ${bytes.join(" ")}\n`;
  }
  return text;
}
