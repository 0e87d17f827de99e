// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { AttrBuffer } from "./attr-buffer.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall } from "./system-call.ts";

/** A dynamic probe to open as a perf event. */
export interface ProbeEventOptions {
  /** Kernel functions, or those of programs and libraries. */
  readonly kind: "kprobe" | "uprobe";
  /** The function's name, or the file's path. */
  readonly target: string;
  /** Bytes from the function's or the file's beginning. */
  readonly offset: number;
  /** At the return instead of the entry. */
  readonly atReturn: boolean;
  /** File offset of a counter that the kernel raises meanwhile (uprobes, 4.20); 0 for none. */
  readonly referenceCounter?: number;
  /** Process, or -1 for all. */
  readonly pid?: number;
  /** CPU to name when every process is meant. */
  readonly cpu: number;
  /** For error messages. */
  readonly object?: string;
}

const devices = "/sys/bus/event_source/devices";
const PERF_FLAG_FD_CLOEXEC = 8;
const REFERENCE_COUNTER_SHIFT = 32n;
/** PERF_ATTR_SIZE_VER5, Linux 4.1. */
const attrSize = 112;

/** Whether the kernel opens such probes as perf events (4.17; CONFIG_KPROBE_EVENTS, CONFIG_UPROBE_EVENTS). */
export function hasProbeEvents(kind: "kprobe" | "uprobe"): boolean {
  return existsSync(`${devices}/${kind}/type`);
}

/** Opens a probe (perf_event_open(2), 4.17). The probe is there until the descriptor and what uses it are closed. */
export function openProbeEvent(options: ProbeEventOptions): FileDescriptor {
  const { kind, target, offset, atReturn, referenceCounter = 0, pid = -1, cpu, object } = options;
  const type = Number.parseInt(readFileSync(`${devices}/${kind}/type`, "latin1"), 10);
  const returnBit = atReturn ? returnProbeBit(kind) : 0n;
  const attr = new AttrBuffer(attrSize)
    .u32(0, type)
    .u32(4, attrSize)
    .bigint(8, returnBit | (BigInt(referenceCounter) << REFERENCE_COUNTER_SHIFT))
    .pointer(56, Buffer.from(`${target}\0`, "utf8"))
    .u64(64, offset);
  return new FileDescriptor(
    systemCall("perf_event_open", object, attr.address, pid, pid === -1 ? cpu : -1, -1, PERF_FLAG_FD_CLOEXEC),
  );
}

/** The bit of `config` that asks for the return, which sysfs tells as `config:0`. */
function returnProbeBit(kind: "kprobe" | "uprobe"): bigint {
  const text = readFileSync(`${devices}/${kind}/format/retprobe`, "latin1");
  const bit = /^config:(\d+)$/.exec(text.trim())?.[1];
  if (bit === undefined)
    throw new RangeError(`${kind}: the format of "retprobe" is "${text.trim()}", config:N is wanted`);
  return 1n << BigInt(bit);
}
