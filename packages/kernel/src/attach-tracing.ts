// SPDX-License-Identifier: Apache-2.0

import {
  AttachType,
  type FentryTarget,
  type FexitTarget,
  type FmodRetTarget,
  InvalidValueError,
  type LsmTarget,
  NotSupportedError,
  ProgramType,
  type RawTracepointTarget,
  type TpBtfTarget,
} from "@skep/ebpf";
import { type FileDescriptor, isSystemCallError, openRawTracepoint } from "@skep/linux";
import { linkTo, requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";

/** Attaches to a raw tracepoint. Throws InvalidValueError when the kernel has none of that name. */
export function attachRawTracepoint(program: KernelProgram, target: RawTracepointTarget): FileDescriptor {
  const types = [ProgramType.RAW_TRACEPOINT, ProgramType.RAW_TRACEPOINT_WRITABLE];
  requireType(program, types, "a raw tracepoint");
  const object = `raw tracepoint "${target.rawTracepoint}"`;
  try {
    return openTracepoint(program, target.rawTracepoint, object, target.cookie);
  } catch (error) {
    if (!isSystemCallError(error, "ENOENT")) throw error;
    throw new InvalidValueError(`the kernel has no ${object}`, { cause: error });
  }
}

/** Attaches to a BTF-typed tracepoint: the one that the program was loaded for. */
export function attachTpBtf(program: KernelProgram, target: TpBtfTarget): FileDescriptor {
  requireType(program, [ProgramType.TRACING], "a BTF tracepoint");
  requireSame(program, "tracepoint", target.tpBtf);
  return openTracepoint(program, undefined, `tp_btf "${target.tpBtf}"`, target.cookie);
}

/** Older kernels say EINVAL to a cookie, as to anything in fields that they do not know. */
function openTracepoint(
  program: KernelProgram,
  name: string | undefined,
  object: string,
  cookie: bigint | undefined,
): FileDescriptor {
  try {
    return openRawTracepoint(program.fd, name, object, cookie);
  } catch (error) {
    const version = cookie === undefined ? undefined : newerThanKernel("6.10");
    if (version === undefined || !isSystemCallError(error, "EINVAL")) throw error;
    throw new NotSupportedError(`the cookie of ${object}`, version, { cause: error });
  }
}

/** Attaches to the kernel function or LSM hook that the program was loaded for. */
export function attachTrampoline(
  program: KernelProgram,
  target: FentryTarget | FexitTarget | FmodRetTarget | LsmTarget,
): FileDescriptor {
  if ("lsm" in target) {
    requireType(program, [ProgramType.LSM], "an LSM hook");
    requireSame(program, "LSM hook", target.lsm);
    return link(program, `lsm "${target.lsm}"`, AttachType.LSM_MAC, target.cookie);
  }
  const [what, name, attachType] =
    "fentry" in target
      ? ["fentry", target.fentry, AttachType.TRACE_FENTRY]
      : "fexit" in target
        ? ["fexit", target.fexit, AttachType.TRACE_FEXIT]
        : ["fmod_ret", target.fmodRet, AttachType.MODIFY_RETURN];
  requireType(program, [ProgramType.TRACING], what);
  requireSame(program, "function", name);
  if (program.spec.expectedAttachType !== attachType) {
    throw new InvalidValueError(
      `program "${program.name}" was not loaded for ${what}: its section is "${program.spec.section}"`,
    );
  }
  return link(program, `${what} "${name}"`, attachType, target.cookie);
}

/** Kernels before 6.0 know BPF_LINK_CREATE for these only without a cookie, all know BPF_RAW_TRACEPOINT_OPEN. */
function link(program: KernelProgram, object: string, attachType: number, cookie: bigint | undefined): FileDescriptor {
  if (cookie === undefined) return openRawTracepoint(program.fd, undefined, object);
  const detail = { kind: "tracing", btfId: 0, cookie } as const;
  return linkTo({ program: program.fd, attachType, detail }, object, { what: `${object} with a cookie`, since: "6.0" });
}

function requireSame(program: KernelProgram, what: string, name: string): void {
  const { attachTo } = program.spec;
  if (attachTo === name) return;
  throw new InvalidValueError(
    `program "${program.name}" was loaded for ${what} "${attachTo}", it cannot attach to "${name}"`,
  );
}
