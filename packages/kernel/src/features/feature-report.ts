// SPDX-License-Identifier: Apache-2.0

import { helperName, helperVersion, MapType, mapTypeName, ProgramType, programTypeName } from "@skep/ebpf";
import { mapTypeSince, NewerMapType, newerThanKernel, programTypeSince } from "../minimum-version.ts";
import type { FeatureSupport } from "./feature-support.ts";
import { haveProgramHelper, LAST_HELPER } from "./helper-features.ts";
import { haveKernelFeature, kernelFeatureNames, kernelFeatureSince } from "./kernel-features.ts";
import { haveMapFlag, haveMapType, mapFlagNames, mapFlagSince } from "./map-features.ts";
import { haveProgramType } from "./program-features.ts";

/** What a {@link FeatureFinding} is about. */
export type FeatureKind = "feature" | "map type" | "map flag" | "program type" | "helper";

/** A feature of the running kernel. Plain data, fit for JSON. */
export interface FeatureFinding {
  readonly kind: FeatureKind;
  /** As the kernel calls it; a helper's begins with the program type that calls it: `xdp: redirect_map`. */
  readonly name: string;
  /** First kernel that can have it; undefined where it is not known. */
  readonly since: string | undefined;
  /** Whether kernels of the running version can have it: a `no` then is a matter of how this one was built. */
  readonly inVersion: boolean;
  readonly support: FeatureSupport;
}

/**
 * Helpers that the kernel reacts to when it only meets them in a program: it switches the trace log on, or warns in its own
 * log. They are not tried unless {@link haveProgramHelper} is asked for them.
 */
const untried: ReadonlySet<string> = new Set(["trace_printk", "trace_vprintk", "probe_write_user"]);

/** Looks for every feature of a kind. Some 50 ms; helpers, for all program types unless one is given, some 300. */
export function probeFeatures(kind: FeatureKind, programType?: ProgramType): FeatureFinding[] {
  switch (kind) {
    case "feature":
      return kernelFeatureNames.map((name) => ({
        kind,
        name,
        ...versions(kernelFeatureSince(name)),
        support: haveKernelFeature(name),
      }));
    case "map type":
      return [...Object.values(MapType), ...Object.values(NewerMapType)].map((type) => ({
        kind,
        name: newerNames.get(type) ?? mapTypeName(type),
        ...versions(mapTypeSince(type)),
        support: haveMapType(type),
      }));
    case "map flag":
      return mapFlagNames.map((name) => ({
        kind,
        name: `BPF_F_${name}`,
        ...versions(mapFlagSince(name)),
        support: haveMapFlag(name),
      }));
    case "program type":
      return Object.values(ProgramType).map((type) => ({
        kind,
        name: programTypeName(type),
        ...versions(programTypeSince(type)),
        support: haveProgramType(type),
      }));
    case "helper":
      return (programType === undefined ? Object.values(ProgramType) : [programType]).flatMap(helpersOf);
  }
}

function versions(since: string | undefined): Pick<FeatureFinding, "since" | "inVersion"> {
  return { since, inVersion: since !== undefined && newerThanKernel(since) === undefined };
}

const newerNames = new Map<number, string>(
  Object.entries(NewerMapType).map(([name, type]) => [type, name.toLowerCase()]),
);

function helpersOf(type: ProgramType): FeatureFinding[] {
  return Array.from({ length: LAST_HELPER }, (_, index) => ({
    kind: "helper",
    name: `${programTypeName(type)}: ${helperName(index + 1) ?? index + 1}`,
    ...versions(helperVersion(index + 1)),
    support: untried.has(helperName(index + 1) ?? "")
      ? { state: "unknown", reason: "not tried: the kernel notes programs that call it" }
      : haveProgramHelper(type, index + 1),
  }));
}
