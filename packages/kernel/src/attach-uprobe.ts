// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  InvalidValueError,
  ProgramType,
  type UprobeMultiPoints,
  type UprobeMultiTarget,
  type UprobeTarget,
  type UretprobeTarget,
  type UserCode,
} from "@skep/ebpf";
import {
  executableSymbols,
  type FileDescriptor,
  findExecutable,
  hasProbeEvents,
  onlineCpus,
  openProbeEvent,
} from "@skep/linux";
import { linkToPerfEvent } from "./attach-perf-event.ts";
import { linkTo, requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { matchesPattern } from "./matches-pattern.ts";
import { openTracefsProbe } from "./tracefs-probe.ts";

const BPF_F_UPROBE_MULTI_RETURN = 1;

/**
 * Attaches to a place in a program or library, by a perf event (4.17) or an event of tracefs. Throws NotSupportedError on
 * a kernel without uprobes.
 */
export function attachUprobe(
  program: KernelProgram,
  target: UprobeTarget | UretprobeTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.KPROBE], "a uprobe");
  const atReturn = "uretprobe" in target;
  const code = atReturn ? target.uretprobe : target.uprobe;
  const path = pathOf(code.file);
  const offset = offsetOf(path, code);
  const object = `${atReturn ? "uretprobe" : "uprobe"} ${path}:${code.symbol ?? `0x${offset.toString(16)}`}`;
  const { pid, referenceCounter } = code;
  const place = { path, offset, atReturn, pid, referenceCounter, object };
  return linkToPerfEvent(program, openUprobe(place, resources, target.tracefs), object, target.cookie, resources);
}

/** A place in a file, with what else its uprobe takes. */
export interface UprobePlace {
  readonly path: string;
  readonly offset: number;
  readonly atReturn: boolean;
  readonly pid: number | undefined;
  readonly referenceCounter: number | undefined;
  readonly object: string;
}

/** Opens a uprobe, by tracefs where that is wanted, or the kernel cannot otherwise; it is one of `resources`. */
export function openUprobe(place: UprobePlace, resources: DisposableStack, tracefs = false): FileDescriptor {
  const { path, offset, atReturn, pid, referenceCounter, object } = place;
  const [cpu = 0] = onlineCpus();
  const options = { kind: "uprobe", atReturn, cpu, object, ...(pid !== undefined && { pid }) } as const;
  if (!tracefs && hasProbeEvents("uprobe")) {
    const counter = referenceCounter === undefined ? {} : { referenceCounter };
    return resources.use(openProbeEvent({ ...options, target: path, offset, ...counter }));
  }
  const counter = referenceCounter === undefined ? "" : `(0x${referenceCounter.toString(16)})`;
  return openTracefsProbe({ ...options, place: `${path}:0x${offset.toString(16)}${counter}` }, resources);
}

/** Attaches to many places of one file by one link (6.6). */
export function attachUprobeMulti(program: KernelProgram, { uprobeMulti }: UprobeMultiTarget): FileDescriptor {
  requireType(program, [ProgramType.KPROBE], "uprobe_multi");
  const { file, referenceCounters, cookies, pid = 0, moment = "entry" } = uprobeMulti;
  const path = pathOf(file);
  const object = `uprobe_multi ${path}`;
  const offsets = offsetsOf(path, uprobeMulti, object);
  requireSameLength(object, "cookies", cookies, offsets.length);
  requireSameLength(object, "reference counters", referenceCounters, offsets.length);
  const session = moment === "session";
  const detail = {
    kind: "uprobe_multi",
    path,
    offsets: BigUint64Array.from(offsets, BigInt),
    referenceCounters: referenceCounters === undefined ? undefined : BigUint64Array.from(referenceCounters, BigInt),
    cookies: cookies === undefined ? undefined : BigUint64Array.from(cookies),
    flags: moment === "return" ? BPF_F_UPROBE_MULTI_RETURN : 0,
    pid,
  } as const;
  const attachType = session ? AttachType.TRACE_UPROBE_SESSION : AttachType.TRACE_UPROBE_MULTI;
  const kind = { what: session ? "a uprobe session" : "uprobe_multi", since: session ? "6.13" : "6.6" };
  return linkTo({ program: program.fd, attachType, detail }, object, kind);
}

/** Throws InvalidValueError unless a list that goes with the places, if given, has one entry for each. */
export function requireSameLength(
  object: string,
  what: string,
  list: readonly unknown[] | undefined,
  count: number,
): void {
  if (list === undefined || list.length === count) return;
  throw new InvalidValueError(`${object}: ${list.length} ${what} for ${count} places`);
}

/** The path of a program or library. Throws InvalidValueError when there is none. */
export function pathOf(file: string): string {
  const path = findExecutable(file);
  if (path === undefined) throw new InvalidValueError(`there is no program or library "${file}"`);
  return path;
}

function offsetOf(path: string, { symbol, offset }: UserCode): number {
  if (symbol !== undefined) {
    const [start = 0] = symbolOffsets(path, [symbol]);
    return start + (offset ?? 0);
  }
  if (offset === undefined) throw new InvalidValueError(`uprobe ${path}: give a symbol or an offset`);
  return offset;
}

/**
 * Where functions begin in the file, which is read once. Throws InvalidValueError for one that it has not, or several
 * times, and for one that is chosen when a program starts.
 */
function symbolOffsets(path: string, names: readonly string[]): number[] {
  const symbols = executableSymbols(path);
  return names.map((name) => {
    const found = symbols.get(name);
    if (found === undefined) throw new InvalidValueError(`${path} has no function "${name}" in its symbol tables`);
    if (found.indirect) {
      throw new InvalidValueError(
        `${path}: "${name}" is one of several functions, chosen when a program starts (IFUNC): give the chosen one's name or offset`,
      );
    }
    if (found.others.length > 0) {
      const places = [found.offset, ...found.others].map((offset) => `0x${offset.toString(16)}`);
      throw new InvalidValueError(
        `${path} has ${places.length} functions "${name}": give an offset of ${some(places)}`,
      );
    }
    return found.offset;
  });
}

function offsetsOf(path: string, points: UprobeMultiPoints, object: string): readonly number[] {
  const { symbols, pattern, offsets, cookies, referenceCounters } = points;
  if ([symbols, pattern, offsets].filter((each) => each !== undefined).length !== 1) {
    throw new InvalidValueError(`${object}: give exactly one of symbols, pattern and offsets`);
  }
  if (offsets !== undefined) return offsets;
  if (symbols !== undefined) return symbolOffsets(path, symbols);
  if (cookies !== undefined || referenceCounters !== undefined) {
    throw new InvalidValueError(`${object}: a pattern takes neither cookies nor reference counters`);
  }
  const matching = [...executableSymbols(path).values()].filter(
    ({ name, indirect }) => !indirect && matchesPattern(name, pattern ?? ""),
  );
  if (matching.length === 0) throw new InvalidValueError(`${path} has no function that matches "${pattern}"`);
  // Several names may stand for one function.
  return [...new Set(matching.flatMap(({ offset, others }) => [offset, ...others]))];
}

/** The first ones of a list, in words. */
function some(list: readonly string[]): string {
  return list.length > 8 ? `${list.slice(0, 8).join(", ")} and ${list.length - 8} more` : list.join(", ");
}
