// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { ffi } from "./ffi.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { systemCall, systemCallNumber } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

/** Kinds of perf event, by the numbers of `enum perf_type_id`. */
export const PerfType = { HARDWARE: 0, SOFTWARE: 1, TRACEPOINT: 2, HW_CACHE: 3, RAW: 4, BREAKPOINT: 5 } as const;

/** A perf event to open: the fields of `struct perf_event_attr` that Skep uses. */
export interface PerfEventOptions {
  /** See {@link PerfType}. */
  readonly type: number;
  /** Which event of that type. */
  readonly config: number | bigint;
  /** For {@link PerfType}.BREAKPOINT: what to watch. */
  readonly breakpoint?: Breakpoint;
  /** Events or nanoseconds between samples. */
  readonly period?: number;
  /** Samples a second; takes the place of `period`. */
  readonly frequency?: number;
  /** `PERF_SAMPLE_*`: what a sample holds. */
  readonly sampleType?: number;
  /** Samples until a reader is woken. */
  readonly wakeupEvents?: number;
  /** Instead: bytes in the buffer that cause a wake-up. */
  readonly wakeupBytes?: number;
  /** Writes its buffer from the end to the beginning (4.7), so that the newest record is always found. */
  readonly writeBackward?: boolean;
  /** Process, or -1 for all. */
  readonly pid?: number;
  /** CPU, or -1 for all; with pid -1 a CPU must be named. */
  readonly cpu?: number;
  /** For error messages. */
  readonly object?: string;
}

/** A hardware breakpoint: a place in memory, and what done there counts. */
export interface Breakpoint {
  readonly address: bigint;
  /** Bytes: 1, 2, 4 or 8. */
  readonly length: number;
  /** HW_BREAKPOINT_R 1, HW_BREAKPOINT_W 2, both 3, HW_BREAKPOINT_X 4. */
  readonly access: number;
}

const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_EVENT_IOC_SET_BPF = 0x4004_2408;
const FLAG_DISABLED = 1;
const FLAG_FREQ = 1 << 10;
const FLAG_WATERMARK = 1 << 14;
const FLAG_WRITE_BACKWARD = 1 << 27;
const PERF_EVENT_IOC_PAUSE_OUTPUT = 0x4004_2409;
/** PERF_ATTR_SIZE_VER5, Linux 4.1. */
const attrSize = 112;

/** Opens a perf event (perf_event_open(2)), disabled, closed on exec. */
export function openPerfEvent(options: PerfEventOptions): FileDescriptor {
  const { type, config, period, frequency, sampleType = 0, wakeupEvents = 0, pid = -1, cpu = -1, object } = options;
  const { wakeupBytes } = options;
  const flags =
    FLAG_DISABLED |
    (frequency === undefined ? 0 : FLAG_FREQ) |
    (wakeupBytes === undefined ? 0 : FLAG_WATERMARK) |
    (options.writeBackward ? FLAG_WRITE_BACKWARD : 0);
  const attr = new AttrBuffer(attrSize)
    .u32(0, type)
    .u32(4, attrSize)
    .bigint(8, BigInt.asUintN(64, BigInt(config)))
    .u64(16, frequency ?? period ?? 0)
    .u64(24, sampleType)
    .u64(40, flags)
    .u32(48, wakeupBytes ?? wakeupEvents);
  const { breakpoint } = options;
  if (breakpoint !== undefined) {
    attr.u32(52, breakpoint.access).bigint(56, breakpoint.address).u64(64, breakpoint.length);
  }
  const number = systemCallNumber("perf_event_open");
  const { syscall, errno } = ffi();
  const fd = syscall(number, attr.address, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC, 0);
  if (fd === -1) {
    throw new SystemCallError({ syscall: "perf_event_open", errno: errno(), ...(object !== undefined && { object }) });
  }
  return new FileDescriptor(fd);
}

/** Starts the counting of a perf event that was opened disabled. */
export function enablePerfEvent(fd: FileDescriptor): void {
  systemCall("ioctl", "perf event", fd.number, PERF_EVENT_IOC_ENABLE);
}

/**
 * Has a program run for the event without a link, as kernels before 5.15 need it (PERF_EVENT_IOC_SET_BPF, 4.1). It stays
 * until the event is closed.
 */
export function setPerfEventProgram(fd: FileDescriptor, program: FileDescriptor, object?: string): void {
  systemCall("ioctl", object, fd.number, PERF_EVENT_IOC_SET_BPF, program.number);
}

/** Keeps the kernel from writing into the event's buffer, or lets it again (4.7). What comes meanwhile is lost. */
export function pausePerfOutput(fd: FileDescriptor, paused: boolean): void {
  systemCall("ioctl", "perf event", fd.number, PERF_EVENT_IOC_PAUSE_OUTPUT, paused ? 1 : 0);
}
