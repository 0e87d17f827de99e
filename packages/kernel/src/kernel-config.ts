// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { KernelConfig } from "@skep/ebpf";
import { kernelRelease } from "@skep/linux";
import { newerThanKernel } from "./minimum-version.ts";
import { linuxVersionCode } from "./version-code.ts";

let known: KernelConfig | undefined;

/**
 * What the running kernel tells of itself. Its configuration is read when first asked for, and kept: /proc/config.gz
 * (CONFIG_IKCONFIG_PROC), or what distributions put beside the kernel, /boot/config-RELEASE.
 */
export function kernelConfig(): KernelConfig {
  known ??= new RunningConfig();
  return known;
}

class RunningConfig implements KernelConfig {
  readonly version: number = linuxVersionCode();
  readonly bpfCookie: boolean = newerThanKernel("5.15") === undefined;
  /** x86-64 since 4.17, arm64 since 4.19: every kernel with the types that this engine needs. */
  readonly syscallWrapper: boolean = true;
  #file: ConfigFile | undefined;

  get source(): string {
    return this.#read().source;
  }

  value(name: string): string | undefined {
    return this.#read().values.get(name);
  }

  #read(): ConfigFile {
    this.#file ??= readConfigFile(["/proc/config.gz", `/boot/config-${kernelRelease()}`]);
    return this.#file;
  }
}

interface ConfigFile {
  readonly source: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The first of the files that can be read; one whose name ends in `.gz` is unpacked. */
export function readConfigFile(paths: readonly string[]): ConfigFile {
  for (const path of paths) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch {
      // The next place may have it; when none does, the message names them all.
      continue;
    }
    return { source: path, values: parseConfig((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString()) };
  }
  return { source: `the kernel's configuration (neither ${paths.join(" nor ")} can be read)`, values: new Map() };
}

/** `NAME=value` by lines, the value in its own words; what is not set stands in comments. */
function parseConfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) values.set(name, value);
  return values;
}
