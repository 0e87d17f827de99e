// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";

/** Ids of everything that BPF holds on this machine at one moment. */
export interface BpfObjects {
  readonly programs: ReadonlySet<number>;
  readonly links: ReadonlySet<number>;
  readonly maps: ReadonlySet<number>;
}

/** Lists programs, links and maps with bpftool. Needs root. */
export function bpfObjects(): BpfObjects {
  return { programs: ids("prog"), links: ids("link"), maps: ids("map") };
}

/** What is there now and was not there `before`, as `program 12 on_exec` lines. */
export function newBpfObjects(before: BpfObjects): string[] {
  return [
    ...list("prog")
      .filter(({ id }) => !before.programs.has(id))
      .map(({ id, name }) => `program ${id} ${name ?? ""}`),
    ...list("link")
      .filter(({ id }) => !before.links.has(id))
      .map(({ id }) => `link ${id}`),
    ...list("map")
      .filter(({ id }) => !before.maps.has(id))
      .map(({ id, name }) => `map ${id} ${name ?? ""}`),
  ];
}

interface Listed {
  readonly id: number;
  readonly name?: string;
}

function list(kind: "prog" | "link" | "map"): Listed[] {
  return JSON.parse(execFileSync("bpftool", ["-j", kind, "show"], { encoding: "utf8" })) as Listed[];
}

function ids(kind: "prog" | "link" | "map"): Set<number> {
  return new Set(list(kind).map(({ id }) => id));
}
