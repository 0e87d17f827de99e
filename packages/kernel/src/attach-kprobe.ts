// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  InvalidValueError,
  type KprobeMultiPoints,
  type KprobeMultiTarget,
  type KprobeTarget,
  type KretprobeTarget,
  type KretsyscallTarget,
  type KsyscallTarget,
  ProgramType,
} from "@skep/ebpf";
import { type FileDescriptor, hasProbeEvents, isSystemCallError, onlineCpus, openProbeEvent } from "@skep/linux";
import { linkToPerfEvent } from "./attach-perf-event.ts";
import { linkTo, requireType } from "./attach-tools.ts";
import { requireSameLength } from "./attach-uprobe.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { KernelSymbols } from "./kernel-symbols.ts";
import { matchesPattern } from "./matches-pattern.ts";
import { traceableFunctions } from "./traceable-functions.ts";
import { openTracefsProbe } from "./tracefs-probe.ts";

const BPF_F_KPROBE_MULTI_RETURN = 1;

/**
 * Attaches to a kernel function, by a perf event (4.17) or an event of tracefs. Throws NotSupportedError on a kernel
 * without kprobes (CONFIG_KPROBES), and InvalidValueError when it has no such function.
 */
export function attachKprobe(
  program: KernelProgram,
  target: KprobeTarget | KretprobeTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.KPROBE], "a kprobe");
  const atReturn = "kretprobe" in target;
  const symbol = atReturn ? target.kretprobe : target.kprobe;
  const offset = atReturn ? 0 : (target.offset ?? 0);
  const maxActive = atReturn ? target.maxActive : undefined;
  const object = `${atReturn ? "kretprobe" : "kprobe"} "${symbol}"`;
  if (maxActive !== undefined && (!Number.isInteger(maxActive) || maxActive < 1)) {
    throw new InvalidValueError(`${object}: maxActive is ${maxActive}, a whole number above 0 is wanted`);
  }
  const [cpu = 0] = onlineCpus();
  const options = { kind: "kprobe", atReturn, cpu, object } as const;
  const byTracefs = target.tracefs === true || maxActive !== undefined || !hasProbeEvents("kprobe");
  try {
    const event = byTracefs
      ? openTracefsProbe(
          { ...options, place: `${symbol}+${offset}`, ...(maxActive !== undefined && { maxActive }) },
          resources,
        )
      : resources.use(openProbeEvent({ ...options, target: symbol, offset }));
    return linkToPerfEvent(program, event, object, target.cookie, resources);
  } catch (error) {
    // tracefs says EINVAL to a name that it does not know, as to much else.
    const unknown =
      isSystemCallError(error, "ENOENT") || (isSystemCallError(error, "EINVAL") && !new KernelSymbols().has(symbol));
    if (!unknown) throw error;
    throw new InvalidValueError(`the kernel has no function "${symbol}" that can be probed`, { cause: error });
  }
}

/**
 * Attaches to a system call: to the wrapper that takes its registers, on every kernel that has perf events for kprobes
 * (4.17) and this package's architectures.
 */
export function attachKsyscall(
  program: KernelProgram,
  target: KsyscallTarget | KretsyscallTarget,
  resources: DisposableStack,
): FileDescriptor | undefined {
  const prefix = process.arch === "arm64" ? "__arm64_sys_" : "__x64_sys_";
  const cookie = target.cookie === undefined ? {} : { cookie: target.cookie };
  const probe =
    "ksyscall" in target
      ? { kprobe: prefix + target.ksyscall, ...cookie }
      : { kretprobe: prefix + target.kretsyscall, ...cookie };
  return attachKprobe(program, probe, resources);
}

/** Attaches to many kernel functions by one link (5.18). Throws NotSupportedError on a kernel without fprobe. */
export function attachKprobeMulti(program: KernelProgram, { kprobeMulti }: KprobeMultiTarget): FileDescriptor {
  requireType(program, [ProgramType.KPROBE], "kprobe_multi");
  const object = "kprobe_multi";
  const { cookies, moment = "entry" } = kprobeMulti;
  const symbols = symbolsOf(kprobeMulti, object);
  requireSameLength(object, "cookies", cookies, symbols.length);
  const session = moment === "session";
  const detail = {
    kind: "kprobe_multi",
    flags: moment === "return" ? BPF_F_KPROBE_MULTI_RETURN : 0,
    symbols,
    cookies: cookies === undefined ? undefined : BigUint64Array.from(cookies),
  } as const;
  const attachType = session ? AttachType.TRACE_KPROBE_SESSION : AttachType.TRACE_KPROBE_MULTI;
  const kind = { what: session ? "a kprobe session" : "kprobe_multi", since: session ? "6.10" : "5.18" };
  return linkTo({ program: program.fd, attachType, detail }, object, kind);
}

function symbolsOf(points: KprobeMultiPoints, object: string): readonly string[] | BigUint64Array {
  const { symbols, pattern, addresses, cookies } = points;
  if ([symbols, pattern, addresses].filter((each) => each !== undefined).length !== 1) {
    throw new InvalidValueError(`${object}: give exactly one of symbols, pattern and addresses`);
  }
  if (addresses !== undefined) return BigUint64Array.from(addresses);
  if (symbols !== undefined) return symbols;
  if (cookies !== undefined) throw new InvalidValueError(`${object}: a pattern takes no cookies`);
  const matching = traceableFunctions().filter((name) => matchesPattern(name, pattern ?? ""));
  if (matching.length === 0)
    throw new InvalidValueError(`the kernel has no traceable function that matches "${pattern}"`);
  return matching;
}
