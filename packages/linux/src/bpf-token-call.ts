// SPDX-License-Identifier: Apache-2.0

import { AttrBuffer } from "./attr-buffer.ts";
import { bpf } from "./bpf.ts";
import { BpfCommand } from "./bpf-command.ts";
import { FileDescriptor } from "./file-descriptor.ts";

/** In the flags of BPF_MAP_CREATE, BPF_PROG_LOAD and BPF_BTF_LOAD: a token's descriptor is given. */
export const BPF_F_TOKEN_FD: number = 1 << 16;

/**
 * BPF_TOKEN_CREATE (6.9): a token with the rights that a BPF file system was mounted to delegate (`delegate_cmds` and the
 * like). EPERM outside the user namespace that the mount belongs to, or without CAP_BPF in it; EOPNOTSUPP in the
 * initial one, ENOENT when nothing is delegated.
 */
export function createBpfToken(bpffs: FileDescriptor, object?: string): FileDescriptor {
  return new FileDescriptor(bpf(BpfCommand.TOKEN_CREATE, new AttrBuffer(8).i32(4, bpffs.number), object));
}
