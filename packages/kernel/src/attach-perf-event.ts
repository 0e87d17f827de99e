// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError, type PerfEventTarget, ProgramType, type TracepointTarget } from "@skep/ebpf";
import {
  BPF_PERF_EVENT,
  createLink,
  enablePerfEvent,
  type FileDescriptor,
  isSystemCallError,
  onlineCpus,
  openPerfEvent,
  type PerfEventOptions,
  PerfType,
  setPerfEventProgram,
} from "@skep/linux";
import { requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { duplicateDescriptor } from "./open-for-reading.ts";
import { perfEventOptions } from "./perf-event-source.ts";
import { tracepointId } from "./tracepoint-id.ts";

/** Attaches to a tracepoint, on every CPU. */
export function attachTracepoint(
  program: KernelProgram,
  target: TracepointTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.TRACEPOINT], "a tracepoint");
  const config = tracepointId(target.tracepoint);
  const object = `tracepoint "${target.tracepoint}"`;
  // The program runs on every CPU; the event that carries it still has to name one.
  const [cpu = 0] = onlineCpus();
  const event = resources.use(openPerfEvent({ type: PerfType.TRACEPOINT, config, cpu, object }));
  return linkToPerfEvent(program, event, object, target.cookie, resources);
}

/**
 * Attaches to a perf event of one process, or of each CPU: then there are as many links. Throws NotSupportedError when
 * the machine has no such event.
 */
export function attachPerfEvent(
  program: KernelProgram,
  target: PerfEventTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  const { perfEvent, cookie } = target;
  if ("fd" in perfEvent) {
    requireType(program, [ProgramType.PERF_EVENT, ProgramType.TRACEPOINT, ProgramType.KPROBE], "a perf event");
    const object = `perf event of descriptor ${perfEvent.fd}`;
    const event = resources.use(duplicateDescriptor(perfEvent.fd, object));
    return linkToPerfEvent(program, event, object, cookie, resources);
  }
  requireType(program, [ProgramType.PERF_EVENT], "a perf event");
  const { pid, cpu } = perfEvent;
  const options = perfEventOptions(perfEvent);
  if (pid !== undefined) {
    const event = resources.use(open({ ...options, pid, ...(cpu !== undefined && { cpu }) }));
    return linkToPerfEvent(program, event, options.object ?? "", cookie, resources);
  }
  const links = (cpu === undefined ? onlineCpus() : [cpu]).map((each) => {
    const object = `${options.object}, CPU ${each}`;
    const event = resources.use(open({ ...options, cpu: each, object }));
    return linkToPerfEvent(program, event, object, cookie, resources);
  });
  return links.length === 1 ? links[0] : undefined;
}

function open(options: PerfEventOptions): FileDescriptor {
  try {
    return openPerfEvent(options);
  } catch (error) {
    // What the processor does not count: ENOENT where it has no counters at all, EOPNOTSUPP where not this one.
    if (!isSystemCallError(error, "ENOENT", "EOPNOTSUPP")) throw error;
    throw new NotSupportedError(options.object ?? "this perf event", undefined, { cause: error });
  }
}

/**
 * Links a program to an open perf event and starts the event. The link becomes one of `resources`; there is none before
 * 5.15, where the event itself keeps the program, without a cookie.
 */
export function linkToPerfEvent(
  program: KernelProgram,
  event: FileDescriptor,
  object: string,
  cookie: bigint | undefined,
  resources: DisposableStack,
): FileDescriptor | undefined {
  try {
    const options = { program: program.fd, target: event, attachType: BPF_PERF_EVENT };
    const detail = cookie === undefined ? undefined : ({ kind: "perf_event", cookie } as const);
    const link = resources.use(createLink(detail === undefined ? options : { ...options, detail }, object));
    enablePerfEvent(event);
    return link;
  } catch (error) {
    const version = newerThanKernel("5.15");
    if (version === undefined || !isSystemCallError(error, "EINVAL")) throw error;
    if (cookie !== undefined) throw new NotSupportedError(`the cookie of ${object}`, version, { cause: error });
    runForPerfEvent(program, event, object);
    return undefined;
  }
}

/** Has a program run for an open perf event without a link, until the event is closed, and starts the event. */
export function runForPerfEvent(program: KernelProgram, event: FileDescriptor, object: string): void {
  setPerfEventProgram(event, program.fd, object);
  enablePerfEvent(event);
}
