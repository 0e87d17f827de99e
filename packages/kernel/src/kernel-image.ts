// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { elfSection, kernelRelease } from "@skep/linux";

/** Where distributions put the kernel with its symbols and types, below the root; `*` stands for the release. */
const places = [
  "/boot/vmlinux-*",
  "/lib/modules/*/vmlinux-*",
  "/lib/modules/*/build/vmlinux",
  "/usr/lib/modules/*/kernel/vmlinux",
  "/usr/lib/debug/boot/vmlinux-*",
  "/usr/lib/debug/boot/vmlinux-*.debug",
  "/usr/lib/debug/lib/modules/*/vmlinux",
];

/**
 * The types in the running kernel's image (`.BTF`), for kernels that do not show them under /sys/kernel/btf; undefined
 * where there is no image with types. An image that is compressed, or no ELF file, is passed over.
 */
export function kernelImageTypes(root = "", release: string = kernelRelease()): Uint8Array | undefined {
  for (const place of places) {
    const path = root + place.replaceAll("*", release);
    if (!existsSync(path)) continue;
    try {
      const types = elfSection(path, ".BTF");
      if (types !== undefined) return types;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}
