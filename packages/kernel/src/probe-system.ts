// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type CapabilityName, effectiveUserId, onlineCpus, possibleCpus, processCapabilities } from "@skep/linux";
import type { Finding } from "./probe-result.ts";
import { mountedTracefs, mountTracefs } from "./tracepoint-id.ts";

const wanted: readonly CapabilityName[] = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"];

/** What the kernel's files and this process's credentials tell. */
export function systemFindings(): Finding[] {
  return [cpus(), capabilities(), unprivilegedBpf(), lockdown(), tracefs()];
}

function cpus(): Finding {
  const detail = `${onlineCpus().length} online, ${possibleCpus().length} possible`;
  return { name: "CPUs", state: "yes", detail };
}

function capabilities(): Finding {
  const held = processCapabilities();
  const names = wanted.filter((name) => held.has(name));
  const detail = `user ${effectiveUserId()} with ${names.length === 0 ? `none of ${wanted.join(", ")}` : names.join(", ")}`;
  const enough = held.has("CAP_SYS_ADMIN") || (held.has("CAP_BPF") && held.has("CAP_PERFMON"));
  if (enough) return { name: "capabilities", state: "yes", detail };
  const remedy = "run as root, or give the node binary cap_bpf,cap_perfmon+ep with setcap(8)";
  return { name: "capabilities", state: "no", detail, remedy };
}

function unprivilegedBpf(): Finding {
  const name = "unprivileged bpf";
  const value = readValue("/proc/sys/kernel/unprivileged_bpf_disabled");
  if (value === undefined)
    return { name, state: "unknown", detail: "/proc/sys/kernel/unprivileged_bpf_disabled is not readable" };
  const meaning =
    { "0": "allowed", "1": "disabled until reboot", "2": "disabled" }[value] ?? "a value without a known meaning";
  return {
    name,
    state: value === "0" ? "yes" : "no",
    detail: `${meaning} (kernel.unprivileged_bpf_disabled = ${value})`,
  };
}

function lockdown(): Finding {
  const name = "reading kernel memory";
  const value = readValue("/sys/kernel/security/lockdown");
  if (value === undefined) return { name, state: "unknown", detail: "/sys/kernel/security/lockdown is not readable" };
  const mode = /\[(\w+)\]/.exec(value)?.[1] ?? value;
  // Only `confidentiality` forbids bpf_probe_read_kernel (security/lockdown, LOCKDOWN_BPF_READ_KERNEL).
  if (mode !== "confidentiality") return { name, state: "yes", detail: `kernel lockdown is ${mode}` };
  const remedy = "boot without lockdown=confidentiality";
  return { name, state: "no", detail: "kernel lockdown is confidentiality", remedy };
}

function tracefs(): Finding {
  const name = "tracefs";
  const mounted = mountedTracefs();
  if (mounted !== undefined) return { name, state: "yes", detail: `mounted on ${mounted}` };
  try {
    mountTracefs("a tracepoint").close();
    return { name, state: "yes", detail: "not mounted; a mount of this process alone is made when it is needed" };
  } catch (error) {
    const detail = `not mounted; ${error instanceof Error ? error.message : String(error)}`;
    return { name, state: "no", detail, remedy: "mount -t tracefs tracefs /sys/kernel/tracing" };
  }
}

function readValue(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    // Absent or not for this user: both mean that it cannot be told.
    return undefined;
  }
}
