// SPDX-License-Identifier: Apache-2.0

/** When a probe runs its program. `session`: at entry, and at the return when the entry's result was 0. */
export type ProbeMoment = "entry" | "return" | "session";

/** The entry of a kernel function, or an instruction inside. Linux 4.1; without tracefs 4.17, by bpf_link 5.15. */
export interface KprobeTarget {
  /** Symbol, as in /proc/kallsyms. */
  readonly kprobe: string;
  /** Bytes from the symbol. */
  readonly offset?: number;
  /** Value that the program gets from bpf_get_attach_cookie (5.15). */
  readonly cookie?: bigint;
  /** Makes the probe an event of tracefs, as kernels before 4.17 need it; chosen where it has to be when absent. */
  readonly tracefs?: boolean;
}

/** The return of a kernel function. Versions as for {@link KprobeTarget}. */
export interface KretprobeTarget {
  /** Symbol, as in /proc/kallsyms. */
  readonly kretprobe: string;
  readonly cookie?: bigint;
  /** As in {@link KprobeTarget}. */
  readonly tracefs?: boolean;
  /**
   * How many calls of the function may run at once before returns are missed; the kernel chooses when absent. Only
   * tracefs takes it (4.12), so it implies `tracefs`.
   */
  readonly maxActive?: number;
}

/** A system call by its bare name (`openat`): a kprobe of the function that this machine's architecture gives it. */
export interface KsyscallTarget {
  readonly ksyscall: string;
  readonly cookie?: bigint;
}

/** The return of a system call; see {@link KsyscallTarget}. */
export interface KretsyscallTarget {
  readonly kretsyscall: string;
  readonly cookie?: bigint;
}

/** Many kernel functions by one link. Linux 5.18; `session` 6.10. */
export interface KprobeMultiTarget {
  readonly kprobeMulti: KprobeMultiPoints;
}

/** Which functions: exactly one of `symbols`, `pattern` and `addresses`. */
export interface KprobeMultiPoints {
  readonly symbols?: readonly string[];
  /** `*` and `?` stand for what they do in a shell: `tcp_*`. Matched against the functions that can be traced. */
  readonly pattern?: string;
  readonly addresses?: readonly bigint[];
  /** One a function, in the same order; not with `pattern`. */
  readonly cookies?: readonly bigint[];
  /** `entry` when absent. */
  readonly moment?: ProbeMoment;
}

/** A place in a program or library. */
export interface UserCode {
  /** Path, or a bare name (`libc.so.6`, `bash`) that is looked for where the loader and the shell look. */
  readonly file: string;
  /** Function, as in the file's symbol tables; give this or `offset`. */
  readonly symbol?: string;
  /** Bytes from the symbol; without one, bytes from the beginning of the file. */
  readonly offset?: number;
  /** Only in this process; in every process, also later ones, when absent. */
  readonly pid?: number;
  /** File offset of a 16-bit counter that the kernel raises while the probe is there (USDT semaphore). Linux 4.20. */
  readonly referenceCounter?: number;
}

/**
 * The entry of a function of a program or library, or an instruction. Linux 4.3; without tracefs 4.17, by bpf_link
 * 5.15.
 */
export interface UprobeTarget {
  readonly uprobe: UserCode;
  /** Value that the program gets from bpf_get_attach_cookie (5.15). */
  readonly cookie?: bigint;
  /** As in {@link KprobeTarget}. */
  readonly tracefs?: boolean;
}

/** The return of such a function. Versions as for {@link UprobeTarget}. */
export interface UretprobeTarget {
  readonly uretprobe: UserCode;
  readonly cookie?: bigint;
  /** As in {@link KprobeTarget}. */
  readonly tracefs?: boolean;
}

/** Many functions of one file by one link. Linux 6.6; `session` 6.13. */
export interface UprobeMultiTarget {
  readonly uprobeMulti: UprobeMultiPoints;
}

/** Which functions: exactly one of `symbols`, `pattern` and `offsets`. */
export interface UprobeMultiPoints {
  /** As in {@link UserCode}. */
  readonly file: string;
  readonly symbols?: readonly string[];
  /** `*` and `?` as in a shell, matched against the file's functions. */
  readonly pattern?: string;
  /** Bytes from the beginning of the file. */
  readonly offsets?: readonly number[];
  /** One a place, in the same order; see {@link UserCode}. Not with `pattern`. */
  readonly referenceCounters?: readonly number[];
  /** One a place, in the same order. Not with `pattern`. */
  readonly cookies?: readonly bigint[];
  /** Only in this process (a thread group); in every process when absent. */
  readonly pid?: number;
  /** `entry` when absent. */
  readonly moment?: ProbeMoment;
}

/**
 * A probe that a program or library declares in its own source (USDT, `sys/sdt.h`), at each place where it has it. Its
 * arguments are read with `skep/usdt.bpf.h`, or libbpf's `bpf/usdt.bpf.h`. By one uprobe_multi link (6.6), or by a
 * uprobe for each place.
 */
export interface UsdtTarget {
  readonly usdt: UsdtProbe;
}

/** Which probe, by the file that has it and the names that its source gives it. */
export interface UsdtProbe {
  /** Path, or a bare name, as `file` of {@link UserCode}. */
  readonly path: string;
  readonly provider: string;
  readonly name: string;
  /** Only in this process; in every process, also later ones, when absent. */
  readonly pid?: number;
  /** Value that the program gets from `bpf_usdt_cookie` (from bpf_get_attach_cookie when it reads no arguments, 5.15). */
  readonly cookie?: bigint;
}
