// SPDX-License-Identifier: Apache-2.0

// node --conditions=skep-source scripts/generate-bpf-headers.ts
//
// Writes packages/ebpf/include/skep/uapi.h and helper-functions.h from facts of the BPF interface: names, numbers
// and layouts from the running kernel's BTF, prototypes of helpers and values of macros from <linux/bpf.h>. To be
// run when a newer kernel brings something. No text of either is taken over.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBtf, vmlinuxHeader } from "@skep/ebpf";

const include = join(import.meta.dirname, "../packages/ebpf/include/skep");
const uapi = readFileSync("/usr/include/linux/bpf.h", "utf8");
const kernel = vmlinuxHeader(readBtf(readFileSync("/sys/kernel/btf/vmlinux")));

/** Structs that programs name; those that they hold are among them. */
const STRUCTS = new Set(
  `__sk_buff xdp_md bpf_sock bpf_tcp_sock bpf_sock_ops bpf_sock_addr bpf_sk_lookup sk_msg_md sk_reuseport_md
   bpf_sysctl bpf_sockopt bpf_raw_tracepoint_args bpf_cgroup_dev_ctx bpf_sock_tuple bpf_tunnel_key bpf_xfrm_state
   bpf_fib_lookup bpf_redir_neigh bpf_spin_lock bpf_res_spin_lock bpf_timer bpf_wq bpf_task_work bpf_dynptr
   bpf_list_head bpf_list_node bpf_rb_root bpf_rb_node bpf_refcount bpf_iter_num bpf_flow_keys bpf_pidns_info btf_ptr
   bpf_perf_event_value bpf_devmap_val bpf_cpumap_val bpf_lpm_trie_key_hdr bpf_lpm_trie_key_u8
   bpf_cgroup_storage_key bpf_stack_build_id`.split(/\s+/),
);
/** Enums that <linux/bpf.h> of Debian 12 does not have yet, by one of their values. */
const NEWER_VALUES = [
  "BPF_FUNC_unspec",
  "BPF_STREAM_STDOUT",
  "BPF_F_TIMER_ABS",
  "BPF_F_PAD_ZEROS",
  "NETKIT_PASS",
  "TCX_NEXT",
];
/** Macros that it does not have yet. */
const NEWER_MACROS = {
  BPF_F_BEFORE: "(1U << 3)",
  BPF_F_AFTER: "(1U << 4)",
  BPF_F_ID: "(1U << 5)",
  BPF_F_PREORDER: "(1U << 6)",
  BPF_F_XDP_DEV_BOUND_ONLY: "(1U << 6)",
  BPF_F_NETFILTER_IP_DEFRAG: "(1U << 0)",
};
/** As C declares a function. */
interface Prototype {
  readonly result: string;
  readonly parameters: string;
}
/** Prototypes that it does not have yet (Linux 6.2), or that became wider. */
const NEWER_PROTOTYPES: Readonly<Record<string, Prototype>> = {
  bpf_cgrp_storage_get: {
    result: "void *",
    parameters: "void *map, struct cgroup *cgroup, void *value, __u64 flags",
  },
  bpf_cgrp_storage_delete: { result: "long", parameters: "void *map, struct cgroup *cgroup" },
  bpf_redirect_map: { result: "long", parameters: "void *map, __u64 key, __u64 flags" },
  bpf_dynptr_read: {
    result: "long",
    parameters: "void *dst, __u32 len, const struct bpf_dynptr *src, __u32 offset, __u64 flags",
  },
  bpf_dynptr_write: {
    result: "long",
    parameters: "const struct bpf_dynptr *dst, __u32 offset, void *src, __u32 len, __u64 flags",
  },
  bpf_dynptr_data: { result: "void *", parameters: "const struct bpf_dynptr *ptr, __u32 offset, __u32 len" },
};
/** The first argument of these is one of several contexts. */
const ANY_CONTEXT = new Set(["bpf_get_socket_cookie", "bpf_sk_assign"]);
/** Types of the kernel as programs see them. */
const SEEN_AS: readonly (readonly [RegExp, string])[] = [
  [/\bstruct bpf_map\b/g, "void"],
  [/\bstruct sk_buff\b/g, "struct __sk_buff"],
  [/\bstruct xdp_buff\b/g, "struct xdp_md"],
  [/\bstruct sk_msg_buff\b/g, "struct sk_msg_md"],
  [/\bstruct (bpf_sock_addr|bpf_sock_ops|sk_reuseport|bpf_sk_lookup|bpf_sysctl|bpf_sockopt)_kern\b/g, "struct $1"],
  [/\bstruct sk_reuseport\b/g, "struct sk_reuseport_md"],
  [/\bsize_t\b/g, "unsigned long"],
  [/\b([us](?:8|16|32|64))\b/g, "__$1"],
];

const LICENSE = "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n";
const ORIGIN = "/* Written by scripts/generate-bpf-headers.ts: run it again rather than edit this. */\n";

let known: ReadonlySet<string> | undefined;
const blocks = kernel.split(/\n\n/);
writeFileSync(join(include, "uapi.h"), uapiHeader());
writeFileSync(join(include, "helper-functions.h"), helperHeader());

/** Enums, structs and macros of the interface. */
function uapiHeader(): string {
  const types = blocks.filter((block) => isEnum(block) || isWantedStruct(block));
  const missing = [...STRUCTS].filter((name) => !types.some((block) => block.startsWith(`struct ${name} {`)));
  if (missing.length > 0) throw new Error(`this kernel's BTF has no ${missing.join(", ")}`);
  const macros = new Map<string, string>();
  for (const [, name = "", value = ""] of uapi.matchAll(
    /^#define\s+((?:BPF|XDP)_[A-Z0-9_]+)[ \t]+(.*?)[ \t]*(?:\/\*.*)?$/gm,
  )) {
    if (/^(BPF_F_|BPF_PSEUDO_|XDP_PACKET|BPF_TAG_SIZE|BPF_BUILD_ID_SIZE|BPF_OBJ_NAME_LEN)/.test(name)) {
      macros.set(name, value);
    }
  }
  for (const [name, value] of Object.entries(NEWER_MACROS)) if (!macros.has(name)) macros.set(name, value);
  const defines = [...macros].map(([name, value]) => `#ifndef ${name}\n#define ${name} ${value}\n#endif\n`);
  return (
    `${LICENSE}#ifndef SKEP_UAPI_H\n#define SKEP_UAPI_H\n\n${ORIGIN}\n` +
    `/*\n * The BPF interface of Linux: map types, flags, return values, contexts. A vmlinux.h or <linux/bpf.h> that was\n` +
    ` * included before has them; <linux/bpf.h> after this finds its own guard and adds nothing.\n */\n` +
    `#include "types.h"\n\n` +
    `#if !defined(__VMLINUX_H__) && !defined(__LINUX_BPF_H__) && !defined(_UAPI__LINUX_BPF_H__)\n` +
    `#define __LINUX_BPF_H__\n#define _UAPI__LINUX_BPF_H__\n\n${types.join("\n\n")}\n#endif\n\n` +
    `/* What is not in BTF, hence not in a vmlinux.h either. */\n${defines.join("")}\n#endif\n`
  );
}

/** Whether a block is an enum of the interface: one of its values is in <linux/bpf.h>, or in the list above. */
function isEnum(block: string): boolean {
  if (!/^enum\b/.test(block)) return false;
  const values = [...block.matchAll(/^\t(\w+) = /gm)].map(([, name = ""]) => name);
  return values.some((name) => NEWER_VALUES.includes(name) || enumerators().has(name));
}

/** Names at the beginning of a line within an enum of <linux/bpf.h>. */
function enumerators(): ReadonlySet<string> {
  known ??= new Set(
    [...uapi.replaceAll(/\/\*[\s\S]*?\*\//g, "").matchAll(/^enum[^{]*\{([\s\S]*?)^\}/gm)].flatMap(([, body = ""]) =>
      [...body.matchAll(/^\s*([A-Z]\w+)\s*[=,]/gm)].map(([, name = ""]) => name),
    ),
  );
  return known;
}

function isWantedStruct(block: string): boolean {
  const name = /^struct (\w+) \{/.exec(block)?.[1];
  return name !== undefined && STRUCTS.has(name);
}

/** One function pointer a helper: the compiler makes a call of its number. */
function helperHeader(): string {
  const ids = [...kernel.matchAll(/^\tBPF_FUNC_(\w+) = (\d+),$/gm)]
    .map(([, name = "", id]) => ({ name: `bpf_${name}`, id: Number(id) }))
    .filter(({ id }) => id > 0);
  const prototypes = readPrototypes();
  const missing = ids.filter(({ name }) => !prototypes.has(name));
  if (missing.length > 0) throw new Error(`no prototypes of ${missing.map(({ name }) => name).join(", ")}`);
  const lines = ids.map(({ name, id }) => {
    const { result, parameters } = prototypes.get(name) as Prototype;
    const space = result.endsWith("*") ? "" : " ";
    return `static ${result}${space}(*const ${name})(${parameters}) = (void *)${id};\n`;
  });
  const text = lines.join("");
  const structs = [...new Set([...text.matchAll(/\bstruct (\w+)/g)].map(([, name = ""]) => name))].sort();
  return (
    `${LICENSE}#ifndef SKEP_HELPER_FUNCTIONS_H\n#define SKEP_HELPER_FUNCTIONS_H\n\n${ORIGIN}\n` +
    `/* The kernel's helper functions: calls of their numbers. bpf-helpers(7) says what they do. */\n` +
    `#include "types.h"\n\n${structs.map((name) => `struct ${name};\n`).join("")}\n${text}\n#endif\n`
  );
}

/** The prototypes in <linux/bpf.h>, the first of each name, with types as programs see them. */
function readPrototypes(): Map<string, Prototype> {
  const prototypes = new Map<string, Prototype>();
  const pattern = /^ \* ((?:const )?(?:struct )?\w+)[ ](\*?)(bpf_\w+)\(([^)]*(?:\n \*[^)]*)?)\)$/gm;
  for (const [, type = "", star = "", name = "", text = ""] of uapi.matchAll(pattern)) {
    if (prototypes.has(name)) continue;
    const parts = text
      .replaceAll(/\s*\n \*\s*/g, " ")
      .split(",")
      .map((part) => seen(part.trim()));
    if (ANY_CONTEXT.has(name)) parts[0] = "void *ctx";
    prototypes.set(name, { result: `${seen(type)}${star === "" ? "" : " *"}`, parameters: parts.join(", ") });
  }
  for (const [name, prototype] of Object.entries(NEWER_PROTOTYPES)) prototypes.set(name, prototype);
  return prototypes;
}

function seen(type: string): string {
  return SEEN_AS.reduce((text, [kernelName, name]) => text.replaceAll(kernelName, name), type);
}
