// SPDX-License-Identifier: Apache-2.0

import { helperName } from "@skep/ebpf";

/** What helpers are about that have no meaning without a kernel, with their numbers. */
const subjects: Readonly<Record<string, readonly number[]>> = {
  "hardware counters": [22, 55, 56],
  "the stacks of a task": [27, 67, 141, 175],
  "the hierarchy of cgroups": [33, 37, 129],
  "the results of kernel functions": [58],
  "a connection that the kernel makes": [64],
  "the kernel's IPsec": [66],
  "the routes of light-weight tunnels": [73, 74, 75, 76],
  "the kernel's SYN cookies": [100, 110, 204, 205, 206, 207],
  "the options of segments that the kernel sends": [142, 143, 144],
  "infrared receivers": [77, 78, 92],
  "the settings of sysctl": [101, 102, 103, 104],
  "signals to a process": [109, 117],
  "packets of the kernel that a tracing program sees": [111, 121],
  "the kernel's congestion control": [116],
  "the CPU's record of branches": [119, 176],
  "the file that an iterator writes": [126, 127, 150],
  "the kernel's own sockets": [136, 137, 138, 139, 140, 178, 196],
  "inodes, files and paths": [145, 146, 147, 161, 162, 193],
  "values of the kernel's types": [149],
  "the kernel's per-CPU variables": [153, 154],
  "the execution of a program file": [159],
  "bpf(2), its descriptors and types": [166, 167, 168],
  "the kernel's symbols": [179],
  "the address space of a process": [180, 191],
  "the arguments and results of a traced function": [183, 184, 185],
  "the result of a system call": [186, 187],
};

const meaningless: ReadonlyMap<number, string> = new Map(
  Object.entries(subjects).flatMap(([subject, ids]) => ids.map((id) => [id, subject] as const)),
);

/** Helpers that want a map of a type that the engine does not have. */
const withoutMaps: ReadonlyMap<number, string> = new Map([
  [81, "cgroup_storage"],
  [209, "user_ringbuf"],
]);

/** Numbers of the helpers that wait for a map type. */
export const helpersWithoutMaps: readonly number[] = [...withoutMaps.keys()];

/** The numbers of the helpers that have no meaning without a kernel. */
export const meaninglessHelpers: readonly number[] = [...meaningless.keys()].sort((a, b) => a - b);

/**
 * Why a helper that nobody implements cannot be called: `bpf_override_return has no meaning without a kernel: it is about the
 * results of kernel functions`.
 */
export function helperRefusal(id: number): string {
  const name = helperName(id);
  if (name === undefined) return `no kernel has a helper of number ${id}, and the host has none`;
  const mapType = withoutMaps.get(id);
  if (mapType !== undefined) return `bpf_${name} wants a map of type ${mapType}, which the engine does not have`;
  const subject = meaningless.get(id);
  if (subject === undefined) return `the engine has no bpf_${name}`;
  return `bpf_${name} has no meaning without a kernel: it is about ${subject}`;
}
