// SPDX-License-Identifier: Apache-2.0

import { statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { SkepError } from "@skep/ebpf";

/** BPF_FS_MAGIC (include/uapi/linux/magic.h). */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Pins something, after a look at where: the kernel says no more than EPERM of a folder that is in no BPF file system. */
export function pinObject(object: { pin(path: string): void }, path: string): void {
  const folder = dirname(resolve(path));
  if (statfsSync(folder).type !== BPF_FS_MAGIC) {
    const remedy = "mount one with `mount -t bpf bpf /sys/fs/bpf`";
    throw new SkepError("ERR_NO_BPFFS", `${path}: ${folder} is in no BPF file system; ${remedy}`);
  }
  object.pin(path);
}
