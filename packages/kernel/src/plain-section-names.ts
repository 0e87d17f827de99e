// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfKind } from "@skep/ebpf";

const MAGIC = 0xeb9f;

/**
 * The bytes of BTF with an underscore for each character of its section names that kernels before 6.10 refuse there, such as
 * the stroke of `maps/old`: until then a section's name was letters, digits, dots and underscores (btf_name_valid_section of
 * kernel/bpf/btf.c). Undefined when there is none. Nothing finds a section in the kernel by its name.
 */
export function plainSectionNames(btf: Btf): Uint8Array | undefined {
  const names = new Set<string>();
  for (let id = 1; id < btf.typeCount; id++) {
    const type = btf.typeById(id);
    if (type.kind === BtfKind.DATASEC && /[^\w.]/.test(type.name)) names.add(type.name);
  }
  if (names.size === 0) return undefined;
  const bytes = btf.bytes.slice();
  const view = new DataView(bytes.buffer);
  const little = view.getUint16(0, true) === MAGIC;
  // struct btf_header: magic, version, flags, length of the header, then place and length of types and of strings.
  const stringsAt = view.getUint32(4, little) + view.getUint32(16, little);
  const strings = bytes.subarray(stringsAt, stringsAt + view.getUint32(20, little));
  const text = new TextDecoder("latin1").decode(strings);
  for (const name of names) {
    const terminated = `${name}\0`;
    for (let at = text.indexOf(terminated); at !== -1; at = text.indexOf(terminated, at + 1)) {
      for (let i = 0; i < name.length; i++) if (/[^\w.]/.test(name.charAt(i))) strings[at + i] = "_".charCodeAt(0);
    }
  }
  return bytes;
}
