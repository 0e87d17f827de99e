// SPDX-License-Identifier: Apache-2.0

import { type LinkInfo, SkepError } from "@skep/ebpf";
import {
  isSystemCallError,
  type KernelMap,
  type KernelProgram,
  listLinks,
  listMaps,
  listPrograms,
  type OpenedLink,
  openLink,
  openMap,
  openPinnedLink,
  openPinnedMap,
  openPinnedProgram,
  openProgram,
  type ProgramInfo,
} from "@skep/kernel";
import { nearest } from "@skep/workload";

/** Characters that the kernel keeps of a name (BPF_OBJ_NAME_LEN, less the NUL). */
const NAME_LENGTH = 15;

/** A number of the kernel's; longer ones are tags, 16 hexadecimal digits that may all be decimal. */
const ID = /^\d{1,15}$/;

/** Keys and values as bytes: what they mean is decided by whoever prints them. */
export type RawMap = KernelMap<Uint8Array, Uint8Array>;

/** Opens the program that a person means: by id, tag, name or the path of its pin. */
export function chooseProgram(text: string): KernelProgram {
  if (text.includes("/")) return openPinnedProgram(text);
  return open("program", text, openProgram, () => {
    const all = listPrograms();
    return matches(text, all, ({ name, tag }) => [tag, name]);
  });
}

/** Opens the map that a person means: by id, name or the path of its pin. */
export function chooseMap(text: string): RawMap {
  const untyped = { typed: false };
  if (text.includes("/")) return openPinnedMap(text, untyped);
  return open(
    "map",
    text,
    (id) => openMap(id, untyped),
    () => matches(text, listMaps(), ({ name }) => [name]),
  );
}

/** Opens the link that a person means: by id, by the name or tag of its program, or by the path of its pin. */
export function chooseLink(text: string): OpenedLink {
  if (text.includes("/")) return openPinnedLink(text);
  return open("link", text, openLink, () => {
    const programs = new Map(listPrograms().map((program) => [program.id, program]));
    return matches<LinkInfo>(text, listLinks(), ({ programId }) => namesOf(programs.get(programId)));
  });
}

function namesOf(program: ProgramInfo | undefined): string[] {
  return program === undefined ? [] : [program.tag, program.name];
}

function open<T>(kind: string, text: string, byId: (id: number) => T, byName: () => Found): T {
  if (ID.test(text)) {
    try {
      return byId(Number(text));
    } catch (cause) {
      if (!isSystemCallError(cause, "ENOENT")) throw cause;
      const list = kind === "program" ? "prog" : kind;
      throw new SkepError("ERR_NOT_FOUND", `no ${kind} has the id ${text}; see \`skep bpf ${list} list\``, { cause });
    }
  }
  const { ids, names } = byName();
  const [id, ...others] = ids;
  if (id === undefined) {
    const near = nearest(text, names);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    throw new SkepError("ERR_NOT_FOUND", `no ${kind} is called "${text}"${hint}`);
  }
  if (others.length === 0) return byId(id);
  const list = ids.length > 8 ? `${ids.slice(0, 8).join(", ")}, …` : ids.join(", ");
  throw new SkepError("ERR_AMBIGUOUS", `"${text}" is ${ids.length} ${kind}s: ${list}; say which by its id`);
}

interface Found {
  readonly ids: readonly number[];
  /** All that could have been meant. */
  readonly names: readonly string[];
}

function matches<T extends { readonly id: number }>(
  text: string,
  all: readonly T[],
  namesOfOne: (one: T) => readonly string[],
): Found {
  const named = all.map((one) => ({ id: one.id, names: namesOfOne(one).filter((name) => name !== "") }));
  // People know the names of the source, the kernel only their beginnings.
  const wanted = (name: string): boolean => name === text || (text.length > NAME_LENGTH && name === kept(text));
  return {
    ids: named.filter(({ names }) => names.some(wanted)).map(({ id }) => id),
    names: named.flatMap(({ names }) => names),
  };
}

function kept(name: string): string {
  return name.slice(0, NAME_LENGTH);
}
