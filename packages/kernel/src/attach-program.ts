// SPDX-License-Identifier: Apache-2.0

import {
  type AttachTarget,
  InvalidValueError,
  NotSupportedError,
  type PerfEventTarget,
  ProgramType,
  programTypeName,
  type RawTracepointTarget,
  type TpBtfTarget,
  type TracepointTarget,
} from "@skep/ebpf";
import {
  BPF_PERF_EVENT,
  createLink,
  enablePerfEvent,
  isSystemCallError,
  kernelVersion,
  onlineCpus,
  openPerfEvent,
  openRawTracepoint,
  type PerfEventOptions,
  PerfType,
} from "@skep/linux";
import { KernelLink } from "./kernel-link.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { perfEventOptions } from "./perf-event-source.ts";
import { tracepointId } from "./tracepoint-id.ts";

/**
 * Attaches a program. All descriptors of a link are closed on exec, and close together; when a step fails
 * nothing stays attached.
 */
export function attachProgram(program: KernelProgram, target: AttachTarget): KernelLink {
  using building = new DisposableStack();
  if ("tracepoint" in target) attachTracepoint(program, target, building);
  else if ("rawTracepoint" in target) attachRawTracepoint(program, target, building);
  else if ("tpBtf" in target) attachTpBtf(program, target, building);
  else attachPerfEvent(program, target, building);
  return new KernelLink(target, building.move());
}

function attachTracepoint(program: KernelProgram, target: TracepointTarget, resources: DisposableStack): void {
  requireType(program, [ProgramType.TRACEPOINT], "a tracepoint");
  const config = tracepointId(target.tracepoint);
  const object = `tracepoint "${target.tracepoint}"`;
  // The program runs on every CPU; the event that carries it still has to name one.
  const [cpu = 0] = onlineCpus();
  linkToPerfEvent(program, { type: PerfType.TRACEPOINT, config, cpu, object }, target.cookie, resources);
}

function attachRawTracepoint(program: KernelProgram, target: RawTracepointTarget, resources: DisposableStack): void {
  const types = [ProgramType.RAW_TRACEPOINT, ProgramType.RAW_TRACEPOINT_WRITABLE];
  requireType(program, types, "a raw tracepoint");
  const object = `raw tracepoint "${target.rawTracepoint}"`;
  try {
    resources.use(openRawTracepoint(program.fd, target.rawTracepoint, object));
  } catch (error) {
    if (!isSystemCallError(error, "ENOENT")) throw error;
    throw new InvalidValueError(`the kernel has no ${object}`, { cause: error });
  }
}

function attachTpBtf(program: KernelProgram, target: TpBtfTarget, resources: DisposableStack): void {
  requireType(program, [ProgramType.TRACING], "a BTF tracepoint");
  const { attachTo } = program.spec;
  if (attachTo !== target.tpBtf) {
    throw new InvalidValueError(
      `program "${program.name}" was loaded for tracepoint "${attachTo}", it cannot attach to "${target.tpBtf}"`,
    );
  }
  resources.use(openRawTracepoint(program.fd, undefined, `tp_btf "${target.tpBtf}"`));
}

function attachPerfEvent(program: KernelProgram, target: PerfEventTarget, resources: DisposableStack): void {
  requireType(program, [ProgramType.PERF_EVENT], "a perf event");
  const { pid, cpu } = target.perfEvent;
  const options = perfEventOptions(target.perfEvent);
  if (pid !== undefined) {
    linkToPerfEvent(program, { ...options, pid, ...(cpu !== undefined && { cpu }) }, target.cookie, resources);
    return;
  }
  for (const each of cpu === undefined ? onlineCpus() : [cpu]) {
    const object = `${options.object}, CPU ${each}`;
    linkToPerfEvent(program, { ...options, cpu: each, object }, target.cookie, resources);
  }
}

function linkToPerfEvent(
  program: KernelProgram,
  options: PerfEventOptions,
  cookie: bigint | undefined,
  resources: DisposableStack,
): void {
  const event = resources.use(openPerfEvent(options));
  try {
    const link = { program: program.fd, target: event, attachType: BPF_PERF_EVENT };
    resources.use(createLink(cookie === undefined ? link : { ...link, cookie }, options.object));
  } catch (error) {
    const [major, minor] = kernelVersion();
    if (isSystemCallError(error, "EINVAL") && (major < 5 || (major === 5 && minor < 15))) {
      throw new NotSupportedError(`a link to ${options.object}`, "5.15", { cause: error });
    }
    throw error;
  }
  enablePerfEvent(event);
}

function requireType(program: KernelProgram, types: readonly ProgramType[], what: string): void {
  if (types.includes(program.spec.type)) return;
  const wanted = types.map(programTypeName).join(" or ");
  throw new InvalidValueError(
    `program "${program.name}" is of type ${programTypeName(program.spec.type)}, ${what} takes ${wanted}`,
  );
}
