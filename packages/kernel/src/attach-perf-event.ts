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
  PerfType,
} from "@skep/linux";
import { requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { perfEventOptions } from "./perf-event-source.ts";
import { tracepointId } from "./tracepoint-id.ts";

/** Attaches to a tracepoint, on every CPU. */
export function attachTracepoint(
  program: KernelProgram,
  target: TracepointTarget,
  resources: DisposableStack,
): FileDescriptor {
  requireType(program, [ProgramType.TRACEPOINT], "a tracepoint");
  const config = tracepointId(target.tracepoint);
  const object = `tracepoint "${target.tracepoint}"`;
  // The program runs on every CPU; the event that carries it still has to name one.
  const [cpu = 0] = onlineCpus();
  const event = resources.use(openPerfEvent({ type: PerfType.TRACEPOINT, config, cpu, object }));
  return linkToPerfEvent(program, event, object, target.cookie, resources);
}

/** Attaches to a perf event of one process, or of each CPU: then there are as many links. */
export function attachPerfEvent(
  program: KernelProgram,
  target: PerfEventTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.PERF_EVENT], "a perf event");
  const { pid, cpu } = target.perfEvent;
  const options = perfEventOptions(target.perfEvent);
  if (pid !== undefined) {
    const event = resources.use(openPerfEvent({ ...options, pid, ...(cpu !== undefined && { cpu }) }));
    return linkToPerfEvent(program, event, options.object ?? "", target.cookie, resources);
  }
  const links = (cpu === undefined ? onlineCpus() : [cpu]).map((each) => {
    const object = `${options.object}, CPU ${each}`;
    const event = resources.use(openPerfEvent({ ...options, cpu: each, object }));
    return linkToPerfEvent(program, event, object, target.cookie, resources);
  });
  return links.length === 1 ? links[0] : undefined;
}

/** Links a program to an open perf event and starts the event. The link becomes one of `resources`. */
export function linkToPerfEvent(
  program: KernelProgram,
  event: FileDescriptor,
  object: string,
  cookie: bigint | undefined,
  resources: DisposableStack,
): FileDescriptor {
  try {
    const options = { program: program.fd, target: event, attachType: BPF_PERF_EVENT };
    const detail = cookie === undefined ? undefined : ({ kind: "perf_event", cookie } as const);
    const link = resources.use(createLink(detail === undefined ? options : { ...options, detail }, object));
    enablePerfEvent(event);
    return link;
  } catch (error) {
    const version = newerThanKernel("5.15");
    if (version === undefined || !isSystemCallError(error, "EINVAL")) throw error;
    throw new NotSupportedError(`a link to ${object}`, version, { cause: error });
  }
}
