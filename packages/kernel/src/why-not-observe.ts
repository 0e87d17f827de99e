// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { errnoName, FileDescriptor, loadProgram, processCapabilities, unsupportedReason } from "@skep/linux";
import { hasKernelBtf } from "./kernel-btf.ts";

/** Why this process cannot observe the kernel. */
export interface Obstacle {
  /** One sentence. */
  readonly why: string;
  /** What would change it, one step an item; commands between backquotes. */
  readonly remedy: readonly string[];
}

/**
 * Finds out whether this process may load and attach tracing programs, by loading one that does nothing. Undefined
 * when it may. Linux 5.8 has the capabilities that it speaks of (CAP_BPF, CAP_PERFMON).
 */
export function whyNotObserve(): Obstacle | undefined {
  const unsupported = unsupportedReason();
  if (unsupported !== undefined) {
    return {
      why: `eBPF is a part of Linux: ${unsupported}.`,
      remedy: ["run Skep on Linux 5.8 or newer, x86-64 or arm64"],
    };
  }
  if (!hasKernelBtf()) {
    return {
      why: "This kernel does not describe its types: there is no /sys/kernel/btf/vmlinux.",
      remedy: ["use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of Debian, Ubuntu and Fedora are"],
    };
  }
  const errno = refusal();
  if (errno === undefined) return undefined;
  if (errno === "ENOSYS") {
    return { why: "This kernel was built without bpf(2).", remedy: ["use a kernel built with CONFIG_BPF_SYSCALL=y"] };
  }
  const held = processCapabilities();
  const missing = (["CAP_BPF", "CAP_PERFMON"] as const).filter((name) => !held.has(name) && !held.has("CAP_SYS_ADMIN"));
  if (missing.length > 0) {
    return {
      why: `The kernel refuses eBPF to this process: it lacks ${missing.join(" and ")}.`,
      remedy: [
        "run it as root: `sudo npm start`",
        "or give it these two alone: `sudo setpriv --reuid $(id -u) --regid $(id -g) --init-groups --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon npm start`",
        "in a container: `--cap-add BPF --cap-add PERFMON`",
      ],
    };
  }
  return {
    why: `The kernel refuses eBPF to this process (${errno}), although it has the capabilities for it.`,
    remedy: [
      "look for what forbids bpf(2): a seccomp profile of the container, or kernel lockdown (`cat /sys/kernel/security/lockdown`)",
    ],
  };
}

/** Loads `r0 = 0; exit` as a raw tracepoint program, which takes both capabilities, and closes it. Returns the errno's name. */
function refusal(): string | undefined {
  const instructions = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
  const { result } = loadProgram({ type: ProgramType.RAW_TRACEPOINT, instructions, license: "GPL" });
  if (result < 0) return errnoName(-result);
  new FileDescriptor(result).close();
  return undefined;
}
