// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { join } from "node:path";

const libraryFolders: Readonly<Record<string, readonly string[]>> = {
  x64: ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"],
  arm64: ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"],
};

/**
 * The path of a program or library. What has a `/` is a path already; `libc.so.6` is looked for in LD_LIBRARY_PATH and
 * the usual folders, any other name in PATH. Undefined when there is none.
 */
export function findExecutable(name: string): string | undefined {
  if (name.includes("/")) return existsSync(name) ? name : undefined;
  const folders = /\.so(\.|$)/.test(name)
    ? [
        ...split(process.env["LD_LIBRARY_PATH"]),
        ...(libraryFolders[process.arch] ?? []),
        ...["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"],
      ]
    : [...split(process.env["PATH"]), "/usr/bin", "/usr/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function split(list: string | undefined): string[] {
  return (list ?? "").split(":").filter((folder) => folder !== "");
}
