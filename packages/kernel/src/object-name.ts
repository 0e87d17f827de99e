// SPDX-License-Identifier: Apache-2.0

/** The name that the kernel keeps: its allowed characters `[A-Za-z0-9_.]` alone, at most 15 (BPF_OBJ_NAME_LEN). */
export function objectName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.]/g, "").slice(0, 15);
}
