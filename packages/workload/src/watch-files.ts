// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { type FSWatcher, readdirSync, realpathSync, statSync, watch } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SkepError } from "@skep/ebpf";
import { isManifestFile } from "./manifest-file.ts";
import { MAX_OBJECT_BYTES, readBoundedFile } from "./read-bounded-file.ts";

/** How often files are looked at without an event, in milliseconds. */
const POLL = 2000;

/** For how long after a change another one may leave no trace in the times that stat gives, in milliseconds. */
const TIME_GRANULARITY = 1000;

/** How long the debounce may be drawn out by further events, in multiples of itself. */
const LONGEST_DEBOUNCE = 10;

/** How `watchFiles` watches. */
export interface WatchFilesOptions {
  /** Ends the watching. Until then the process is kept alive. */
  readonly signal: AbortSignal;
  /** Milliseconds without an event after which files are looked at. Default 100. */
  readonly debounce?: number;
}

/**
 * Calls `onChange` with the files whose content changed, appeared or went away since the call before; the first
 * comparison is with what is there when this returns. A folder stands for its manifest files; `-` is left out.
 *
 * Watches folders rather than files, so that it survives what replaces a file instead of writing to it: renames
 * onto it, editors, the `..data` link of a Kubernetes ConfigMap, and the folder itself going and coming back. What
 * inotify does not tell of (network file systems, a folder further up that is renamed, a link in the middle of a
 * path, no watches left) is found within two seconds by looking.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: (changed: readonly string[]) => void,
  options: WatchFilesOptions,
): void {
  if (options.signal.aborted) return;
  const watcher = new FileWatcher(
    paths.filter((path) => path !== "-"),
    onChange,
    options.debounce ?? 100,
  );
  options.signal.addEventListener("abort", () => watcher.close(), { once: true });
}

/** A file's content at one moment. */
interface Fingerprint {
  /** What stat says of the file; undefined when that cannot tell the next change from this one. */
  readonly stat: string | undefined;
  /** Hash of the content, or the error that reading it gave. */
  readonly content: string;
}

/** A folder under watch, and which folder of that name it is. */
interface WatchedFolder {
  readonly watcher: FSWatcher;
  readonly identity: string;
}

const ABSENT: Fingerprint = { stat: undefined, content: "ENOENT" };

class FileWatcher {
  readonly #paths: readonly string[];
  readonly #onChange: (changed: readonly string[]) => void;
  readonly #debounce: number;
  readonly #poll: NodeJS.Timeout;
  readonly #folders = new Map<string, WatchedFolder>();
  #files: ReadonlyMap<string, Fingerprint>;
  #pending: NodeJS.Timeout | undefined;
  /** When the first event came that no check has followed yet. */
  #pendingSince = 0;

  constructor(paths: readonly string[], onChange: (changed: readonly string[]) => void, debounce: number) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#debounce = debounce;
    this.#watchFolders();
    this.#files = this.#read(new Map());
    this.#poll = setInterval(() => {
      // An event's check is about to come, and waits for the writer to be done.
      if (this.#pending === undefined) this.#check();
    }, POLL);
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#pending);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #schedule(): void {
    const now = Date.now();
    if (this.#pending === undefined) this.#pendingSince = now;
    clearTimeout(this.#pending);
    const latest = this.#pendingSince + LONGEST_DEBOUNCE * this.#debounce;
    this.#pending = setTimeout(() => this.#check(), Math.max(0, Math.min(this.#debounce, latest - now)));
  }

  #check(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
    // In this order, so that what changes after the reading gives an event.
    this.#watchFolders();
    const before = this.#files;
    this.#files = this.#read(before);
    const names = new Set([...before.keys(), ...this.#files.keys()]);
    const changed = [...names].filter(
      (name) => (before.get(name) ?? ABSENT).content !== (this.#files.get(name) ?? ABSENT).content,
    );
    if (changed.length > 0) this.#onChange(changed);
  }

  /** Watches the folders that matter now, and no others; again until no folder appeared meanwhile. */
  #watchFolders(): void {
    let opened = true;
    while (opened) {
      opened = false;
      const wanted = new Map(this.#paths.flatMap(foldersOf).map((folder) => [folder, identityOf(folder)]));
      for (const [folder, { watcher, identity }] of this.#folders) {
        if (wanted.get(folder) === identity) continue;
        watcher.close();
        this.#folders.delete(folder);
      }
      for (const [folder, identity] of wanted) {
        if (identity !== undefined && !this.#folders.has(folder)) opened = this.#open(folder, identity) || opened;
      }
    }
  }

  #open(folder: string, identity: string): boolean {
    let watcher: FSWatcher;
    try {
      watcher = watch(folder);
    } catch {
      // Gone again, or no watches left: looking every two seconds has to do.
      return false;
    }
    watcher.on("change", () => this.#schedule());
    watcher.on("error", () => {
      watcher.close();
      this.#folders.delete(folder);
      this.#schedule();
    });
    this.#folders.set(folder, { watcher, identity });
    return true;
  }

  #read(before: ReadonlyMap<string, Fingerprint>): Map<string, Fingerprint> {
    const files = this.#paths.flatMap(filesOf);
    return new Map(files.map((file) => [file, fingerprint(file, before.get(file))]));
  }
}

/** The folders whose entries decide what is found at a path. Where one is missing, the nearest one above it. */
function foldersOf(path: string): string[] {
  const absolute = resolve(path);
  const folders = [dirname(absolute)];
  try {
    const real = realpathSync(absolute);
    folders.push(statSync(real).isDirectory() ? real : dirname(real));
  } catch {
    // Not there at the moment: its appearing shows in the folder above.
  }
  return folders.map((folder) => {
    let existing = folder;
    while (identityOf(existing) === undefined && dirname(existing) !== existing) existing = dirname(existing);
    return existing;
  });
}

/**
 * Tells a folder from another one that took its name, the inode's number included; undefined when it is none. A
 * watch stays with the folder that it was opened on.
 */
function identityOf(folder: string): string | undefined {
  try {
    const stats = statSync(folder, { bigint: true });
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeNs}` : undefined;
  } catch {
    // Missing, or out of reach: either way it cannot be watched.
    return undefined;
  }
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter(isManifestFile)
      .map((name) => join(path, name));
  } catch {
    // Its fingerprint says that it cannot be read.
    return [path];
  }
}

function fingerprint(file: string, before: Fingerprint | undefined): Fingerprint {
  try {
    const stats = statSync(file, { bigint: true });
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = stats;
    const stat = `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
    if (before?.stat === stat) return before;
    // Opening a device could do something to it.
    if (!stats.isFile()) return { stat: undefined, content: "not a regular file" };
    const content = createHash("sha256").update(readBoundedFile(file, MAX_OBJECT_BYTES)).digest("hex");
    return { stat: Date.now() - Number(ctimeMs) > TIME_GRANULARITY ? stat : undefined, content };
  } catch (error) {
    return { stat: undefined, content: problemOf(error) };
  }
}

/** Tells one reason why a file cannot be read from another: the errno of stat, or what reading it refused. */
function problemOf(error: unknown): string {
  if (error instanceof Error && "code" in error && !(error instanceof SkepError)) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
