// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { BpfObjectKind } from "@skep/linux";

/** A process that holds an object open. */
export interface ObjectHolder {
  readonly pid: number;
  /** Of the file that it executes, or, where that may not be seen, the name that the process chose. */
  readonly name: string;
}

/** The anonymous inodes of bpf(2), and the field of their fdinfo that has the id. */
const kinds: Readonly<Record<string, { readonly kind: BpfObjectKind; readonly field: string }>> = {
  "anon_inode:bpf-prog": { kind: "program", field: "prog_id" },
  "anon_inode:bpf-map": { kind: "map", field: "map_id" },
  // One when it is made, the other when it is opened by its id or pin.
  "anon_inode:bpf_link": { kind: "link", field: "link_id" },
  "anon_inode:bpf-link": { kind: "link", field: "link_id" },
  "anon_inode:btf": { kind: "btf", field: "btf_id" },
};

/**
 * The processes that hold programs, maps, links and BTF open, by their descriptors in /proc: what this process may not see
 * (CAP_SYS_PTRACE) is left out, and so are mappings and sockets, which hold objects without a descriptor.
 */
export class ObjectHolders {
  readonly #holders = new Map<string, ObjectHolder[]>();

  /** Walks /proc once. */
  constructor(proc = "/proc") {
    for (const entry of readdirSync(proc)) {
      if (/^\d+$/.test(entry)) this.#addProcess(proc, Number(entry));
    }
  }

  /** Who holds an object, by pid. */
  of(kind: BpfObjectKind, id: number): readonly ObjectHolder[] {
    return this.#holders.get(`${kind} ${id}`) ?? [];
  }

  #addProcess(proc: string, pid: number): void {
    const folder = `${proc}/${pid}`;
    for (const fd of orNothing(() => readdirSync(`${folder}/fd`)) ?? []) {
      const target = orNothing(() => readlinkSync(`${folder}/fd/${fd}`));
      const found = target === undefined ? undefined : kinds[target.replaceAll(/[[\]]/g, "")];
      if (found === undefined) continue;
      const facts = orNothing(() => readFileSync(`${folder}/fdinfo/${fd}`, "latin1"));
      const id = facts === undefined ? undefined : new RegExp(`^${found.field}:\\s*(\\d+)$`, "m").exec(facts)?.[1];
      if (id !== undefined) this.#add(`${found.kind} ${id}`, pid, folder);
    }
  }

  #add(key: string, pid: number, folder: string): void {
    const holders = this.#holders.get(key) ?? [];
    this.#holders.set(key, holders);
    // One process often has several descriptors of one object.
    if (holders.at(-1)?.pid === pid) return;
    const file = orNothing(() => readlinkSync(`${folder}/exe`));
    const name = file === undefined ? orNothing(() => readFileSync(`${folder}/comm`, "utf8")) : basename(file);
    if (name !== undefined) holders.push({ pid, name: name.replace(/ \(deleted\)$|\n$/, "") });
  }
}

/** Undefined when what is read has gone meanwhile, or is not for this process. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}
