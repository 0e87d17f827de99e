// SPDX-License-Identifier: Apache-2.0

import { MapType, ProgramType } from "@skep/ebpf";
import { kernelVersion } from "@skep/linux";

/** First kernel with a map type; types that every kernel with BTF has (5.2) are left out. */
const mapTypes: Readonly<Record<number, string>> = {
  [MapType.DEVMAP_HASH]: "5.4",
  [MapType.STRUCT_OPS]: "5.6",
  [MapType.RINGBUF]: "5.8",
  [MapType.INODE_STORAGE]: "5.10",
  [MapType.TASK_STORAGE]: "5.11",
  [MapType.BLOOM_FILTER]: "5.16",
  [MapType.USER_RINGBUF]: "6.1",
  [MapType.CGRP_STORAGE]: "6.2",
  [MapType.ARENA]: "6.9",
};

const programTypes: Readonly<Record<number, string>> = {
  [ProgramType.RAW_TRACEPOINT_WRITABLE]: "5.2",
  [ProgramType.CGROUP_SOCKOPT]: "5.3",
  [ProgramType.TRACING]: "5.5",
  [ProgramType.STRUCT_OPS]: "5.6",
  [ProgramType.EXT]: "5.6",
  [ProgramType.LSM]: "5.7",
  [ProgramType.SK_LOOKUP]: "5.9",
  [ProgramType.SYSCALL]: "5.14",
  [ProgramType.NETFILTER]: "6.4",
};

/** The version that brought a map type, when the running kernel is older; undefined otherwise. */
export function mapTypeTooNew(type: MapType): string | undefined {
  return newerThanKernel(mapTypes[type]);
}

/** The version that brought a program type, when the running kernel is older; undefined otherwise. */
export function programTypeTooNew(type: ProgramType): string | undefined {
  return newerThanKernel(programTypes[type]);
}

/** The version, when the running kernel is older; undefined otherwise. */
export function newerThanKernel(version: string | undefined): string | undefined {
  if (version === undefined) return undefined;
  const [wantedMajor, wantedMinor] = kernelVersion(version);
  const [major, minor] = kernelVersion();
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor) ? version : undefined;
}
