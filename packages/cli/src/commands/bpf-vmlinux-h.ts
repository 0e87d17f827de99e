// SPDX-License-Identifier: Apache-2.0

import { readBtf, readElf, vmlinuxHeader } from "@skep/ebpf";
import { MAX_OBJECT_BYTES, readBoundedFile } from "@skep/workload";
import { print } from "../output/print.ts";

/** Where the running kernel has its types, since Linux 5.4 with CONFIG_DEBUG_INFO_BTF. */
const KERNEL_TYPES = "/sys/kernel/btf/vmlinux";

/** `skep bpf vmlinux-h [FILE]`: the types of a kernel as the header that BPF programs include. Needs no privileges. */
export async function bpfVmlinuxH(file: string | undefined): Promise<void> {
  const bytes = readBoundedFile(file ?? KERNEL_TYPES, MAX_OBJECT_BYTES);
  await print(vmlinuxHeader(readBtf(isElf(bytes) ? btfSection(bytes) : bytes)));
}

function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Of a vmlinux or an eBPF object. Without the section the empty bytes are refused as no BTF. */
function btfSection(bytes: Uint8Array): Uint8Array {
  return readElf(bytes).sections.find(({ name }) => name === ".BTF")?.bytes ?? new Uint8Array();
}
