// SPDX-License-Identifier: Apache-2.0

import { readFileSync, realpathSync } from "node:fs";
import {
  AttachType,
  describeTarget,
  InvalidValueError,
  NotSupportedError,
  type ProgramSpec,
  ProgramType,
  type UsdtTarget,
} from "@skep/ebpf";
import { type FileDescriptor, symbolAddresses, type UsdtSite, usdtSites } from "@skep/linux";
import { linkToPerfEvent } from "./attach-perf-event.ts";
import { linkTo, requireType } from "./attach-tools.ts";
import { openUprobe, pathOf } from "./attach-uprobe.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { newerThanKernel } from "./minimum-version.ts";
import { parseUsdtArguments } from "./usdt-arguments.ts";
import type { UsdtSpecs } from "./usdt-specs.ts";

/** A USDT program as this kernel is to load it: for one link to all sites where there are such links (6.6). */
export function usdtProgramSpec(spec: ProgramSpec): ProgramSpec {
  const isUsdt = spec.expectedAttachType === 0 && /^\??usdt(\.s)?(\/|$)/.test(spec.section);
  if (!isUsdt || newerThanKernel("6.6") !== undefined) return spec;
  return { ...spec, expectedAttachType: AttachType.TRACE_UPROBE_MULTI };
}

/**
 * Attaches to every site of a USDT probe. The link, if it is by one; it and all else is in `resources`. `cookies` says
 * whether the kernel hands programs the cookies of their links (5.15); without, programs find their arguments by the
 * address of the instruction, which is known for one process, and for executables at a fixed address.
 */
export function attachUsdt(
  program: KernelProgram,
  target: UsdtTarget,
  resources: DisposableStack,
  cookies: boolean = newerThanKernel("5.15") === undefined,
): FileDescriptor | undefined {
  requireType(program, [ProgramType.KPROBE], "a USDT probe");
  const { usdt } = target;
  const object = describeTarget(target);
  const path = pathOf(usdt.path);
  const sites = sitesOf(path, usdt.provider, usdt.name);
  const { usdt: specs } = program;
  const ids = specs && describeArguments(specs, target, path, sites, resources);
  if (specs !== undefined && ids !== undefined && !cookies) placeArguments(specs, target, path, sites, ids, resources);
  // Without a map of arguments the program's own cookie is all that there is to hand over; with one it is in there.
  const cookieOf = (index: number): bigint | undefined => {
    if (ids === undefined) return usdt.cookie;
    return cookies ? BigInt(ids[index] ?? 0) : undefined;
  };
  if (program.spec.expectedAttachType === AttachType.TRACE_UPROBE_MULTI) {
    const detail = {
      kind: "uprobe_multi",
      path,
      offsets: BigUint64Array.from(sites, ({ offset }) => BigInt(offset)),
      referenceCounters: sites.some(({ semaphoreOffset }) => semaphoreOffset !== undefined)
        ? BigUint64Array.from(sites, ({ semaphoreOffset }) => BigInt(semaphoreOffset ?? 0))
        : undefined,
      cookies: BigUint64Array.from(sites, (_, index) => cookieOf(index) ?? 0n),
      flags: 0,
      pid: usdt.pid ?? 0,
    } as const;
    const options = { program: program.fd, attachType: AttachType.TRACE_UPROBE_MULTI, detail };
    return resources.use(linkTo(options, object, { what: "uprobe_multi", since: "6.6" }));
  }
  const links = sites.map(({ offset, semaphoreOffset }, index) => {
    const place = { path, offset, atReturn: false, pid: usdt.pid, referenceCounter: semaphoreOffset, object };
    return linkToPerfEvent(program, openUprobe(place, resources), object, cookieOf(index), resources);
  });
  return links.length === 1 ? links[0] : undefined;
}

/** The sites of a probe. Throws InvalidValueError when the file has none, and says which it has. */
function sitesOf(path: string, provider: string, name: string): UsdtSite[] {
  const all = usdtSites(path);
  const sites = all.filter((site) => site.provider === provider && site.name === name);
  if (sites.length > 0) return sites;
  const known = [...new Set(all.map((site) => `${site.provider}:${site.name}`))].sort();
  const some = known.length > 20 ? `${known.slice(0, 20).join(", ")} and ${known.length - 20} more` : known.join(", ");
  throw new InvalidValueError(`${path} has no USDT probe ${provider}:${name}; it has ${some || "none"}`);
}

/** The id of each site's arguments in the program's map. */
function describeArguments(
  specs: UsdtSpecs,
  target: UsdtTarget,
  path: string,
  sites: readonly UsdtSite[],
  resources: DisposableStack,
): number[] {
  const object = describeTarget(target);
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  let symbols: ReadonlyMap<string, number> | undefined;
  const symbol = (name: string): number | undefined => {
    symbols ??= symbolAddresses(path);
    return symbols.get(name);
  };
  return sites.map((site) => {
    const args = parseUsdtArguments(site.arguments, { arch, address: site.address, symbol, object });
    return specs.acquire(args, target.usdt.cookie ?? 0n, object, resources);
  });
}

/** Tells the program where in memory each site is. */
function placeArguments(
  specs: UsdtSpecs,
  target: UsdtTarget,
  path: string,
  sites: readonly UsdtSite[],
  ids: readonly number[],
  resources: DisposableStack,
): void {
  const object = describeTarget(target);
  const { pid } = target.usdt;
  sites.forEach((site, index) => {
    const places = site.fixed
      ? [BigInt(site.address)]
      : pid === undefined
        ? []
        : placesInMemory(pid, path, site.offset);
    if (places.length === 0) {
      throw new NotSupportedError(
        `${object}: finding the arguments of a file that is loaded anywhere, without a pid,`,
        "5.15",
      );
    }
    for (const place of places) specs.place(place, ids[index] ?? 0, object, resources);
  });
}

/** Where a process has an instruction of a file: the executable mappings in /proc/PID/maps. */
function placesInMemory(pid: number, path: string, offset: number): bigint[] {
  const file = realpathSync(path);
  const places: bigint[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, start = "", end = "", from = "", name] =
      /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(.*)$/.exec(line) ?? [];
    if (name !== file) continue;
    const place = BigInt(`0x${start}`) + BigInt(offset) - BigInt(`0x${from}`);
    if (place >= BigInt(`0x${start}`) && place < BigInt(`0x${end}`)) places.push(place);
  }
  return places;
}
