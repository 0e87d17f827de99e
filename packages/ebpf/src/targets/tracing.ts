// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "../bpf-map.ts";
import type { Program } from "../engine.ts";

/** BTF-typed raw tracepoint by name. The program was loaded for that tracepoint. Linux 5.5. */
export interface TpBtfTarget {
  readonly tpBtf: string;
  /** Value that the program gets from bpf_get_attach_cookie (6.10). */
  readonly cookie?: bigint;
}

/** The entry of a kernel function by trampoline. The program was loaded for that function. Linux 5.5. */
export interface FentryTarget {
  readonly fentry: string;
  /** Value that the program gets from bpf_get_attach_cookie (6.0). */
  readonly cookie?: bigint;
}

/** The return of a kernel function, with its arguments. The program was loaded for that function. Linux 5.5. */
export interface FexitTarget {
  readonly fexit: string;
  readonly cookie?: bigint;
}

/** A kernel function whose result the program may replace (ALLOW_ERROR_INJECTION functions only). Linux 5.7. */
export interface FmodRetTarget {
  readonly fmodRet: string;
  readonly cookie?: bigint;
}

/**
 * A global function of another program, in whose place this one runs (`freplace`). It is loaded for such a function, see
 * `targetPrograms` of `load`, and attached there unless another is given. Linux 5.6.
 */
export interface FreplaceTarget {
  readonly freplace: FreplacePoint;
}

/** A function of a loaded program; `{}` for the one that the replacing program was loaded for. */
export interface FreplacePoint {
  /** Another program with a function of the same signature (5.10). */
  readonly program?: Program;
  /** The one that the replacing program was loaded for when absent. */
  readonly function?: string;
}

/**
 * A hook of the Linux security modules (`file_open`). The program was loaded for it. Linux 5.7, with `bpf` in
 * `lsm=`.
 */
export interface LsmTarget {
  readonly lsm: string;
  readonly cookie?: bigint;
}

/**
 * An iterator over kernel objects. The program runs when it is read: `link.openIterator()`. Which objects follows
 * from the program (`iter/task`). Linux 5.8.
 */
export interface IteratorTarget {
  readonly iterator: IteratorPoint;
}

/** What to walk; `{}` for everything of the program's kind. At most one of the kinds of key. */
export interface IteratorPoint {
  /** The map whose elements are walked: `bpf_map_elem`, `sockmap`, `bpf_sk_storage_map`. */
  readonly map?: BpfMap;
  /** Only this process: `task`, `task_file`, `task_vma` (6.1). */
  readonly pid?: number;
  /** Only this thread (6.1). */
  readonly tid?: number;
  /** The folder of a cgroup, for `cgroup` (6.1). */
  readonly cgroup?: string;
  /** `descendants-before`: a cgroup before those in it; `descendants-after`: after them. `self` when absent. */
  readonly order?: "self" | "descendants-before" | "descendants-after" | "ancestors";
}
