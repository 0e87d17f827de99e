// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A kernel of Debian's, unpacked. */
export interface GuestKernel {
  /** What `uname -r` says in it: `6.12.117+deb12-cloud-amd64`. */
  readonly release: string;
  /** Its package unpacked: `boot`, `lib`. */
  readonly folder: string;
  /** The bzImage. */
  readonly image: string;
  /** Its folder of /lib/modules, with a `modules.dep`. */
  readonly modules: string;
}

/**
 * The newest cloud kernel of a line (`6.12`) that apt knows, downloaded into `cache` unless it is there; without apt's lists
 * the newest that is there. Installs nothing. Older kernels of the line are removed from the cache. Throws an Error that
 * says what to do when there is none.
 */
export function guestKernel(line: string, cache: string): GuestKernel {
  const folder = join(cache, line);
  mkdirSync(folder, { recursive: true });
  const here = readdirSync(folder).filter((name) => name.startsWith(`${line}.`));
  const release = newest(releasesOfApt(line)) ?? newest(here);
  if (release === undefined) {
    throw new Error(`apt knows no cloud kernel of Linux ${line}: apt-get update gets its lists, Debian 12 has one`);
  }
  const unpacked = join(folder, release);
  if (!existsSync(unpacked)) fetch(release, folder, unpacked);
  for (const old of here) if (old !== release) rmSync(join(folder, old), { recursive: true, force: true });
  return {
    release,
    folder: unpacked,
    image: join(unpacked, "boot", `vmlinuz-${release}`),
    modules: join(unpacked, "lib/modules", release),
  };
}

/**
 * The files of these modules and of those that they need, in the order in which they are to be loaded. A module that is
 * built into the kernel has none.
 */
export function moduleFiles(kernel: GuestKernel, names: readonly string[]): string[] {
  const builtin = readFileSync(join(kernel.modules, "modules.builtin"), "utf8");
  const lines = readFileSync(join(kernel.modules, "modules.dep"), "utf8").split("\n");
  const files = new Set<string>();
  for (const name of names) {
    const line = lines.find((each) => new RegExp(`/${name}\\.ko[.a-z]*:`).test(each));
    if (line !== undefined) {
      // Each stands before what it needs.
      for (const file of line.replace(":", "").split(" ").filter(Boolean).reverse()) files.add(file);
    } else if (!builtin.includes(`/${name}.ko\n`)) {
      throw new Error(`Linux ${kernel.release} has no module ${name}`);
    }
  }
  return [...files].map((file) => join(kernel.modules, file));
}

/** The contents of a module, which Debian compresses from 6.12 on. */
export function readModule(file: string): Uint8Array {
  return file.endsWith(".xz") ? run("xz", ["--decompress", "--stdout", file]) : readFileSync(file);
}

function releasesOfApt(line: string): string[] {
  const prefix = "linux-image-";
  const pattern = `^${prefix}${line.replace(".", "\\.")}\\..*-cloud-amd64$`;
  const search = () =>
    run("apt-cache", ["search", "--names-only", pattern])
      .toString()
      .split("\n")
      .map((text) => text.split(" ", 1)[0] ?? "")
      .filter((name) => name !== "")
      .map((name) => name.slice(prefix.length));
  const found = search();
  if (found.length > 0 || process.getuid?.() !== 0) return found;
  try {
    run("apt-get", ["update", "-qq"]);
  } catch (error) {
    // Without a network the kernel that is in the cache will do.
    console.error(error instanceof Error ? error.message : String(error));
  }
  return search();
}

function fetch(release: string, folder: string, unpacked: string): void {
  // Made beside, then renamed: a run that was stopped leaves no half of a kernel under its name.
  const incoming = mkdtempSync(join(folder, "incoming-"));
  try {
    run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", `linux-image-${release}`], incoming);
    const [deb = ""] = readdirSync(incoming);
    run("dpkg", ["-x", deb, "image"], incoming);
    run("depmod", ["-b", join(incoming, "image"), release]);
    renameSync(join(incoming, "image"), unpacked);
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
}

function newest(releases: readonly string[]): string | undefined {
  return [...releases].sort((left, right) => left.localeCompare(right, "en", { numeric: true })).at(-1);
}

function run(file: string, args: readonly string[], cwd?: string): Buffer {
  const env = { ...process.env, LC_ALL: "C", PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return execFileSync(file, args, { cwd, env, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] });
}
