// SPDX-License-Identifier: Apache-2.0

/** What stands for a pointer's target, by the verifier's name of its type (reg_type_str, kernel/bpf/log.c). */
const TARGETS: Readonly<Record<string, string>> = {
  ctx: "the program's context",
  pkt: "the packet",
  pkt_meta: "the packet's metadata",
  pkt_end: "the end of the packet",
  flow_keys: "the flow keys",
  sock: "a socket",
  sock_common: "the common part of a socket",
  tcp_sock: "a TCP socket",
  tp_buffer: "a tracepoint's buffer",
  xdp_sock: "an AF_XDP socket",
  mem: "memory",
  ringbuf_mem: "a record of a ring buffer",
  buf: "a buffer",
  func: "a function",
  map_key: "a map's key",
  arena: "an arena",
  dynptr_ptr: "a dynptr",
  insn: "an instruction",
};

/** What the verifier puts before the name of a type, in words behind the target. */
const FLAGS: readonly (readonly [prefix: string, words: string])[] = [
  ["trusted_", "trusted"],
  ["untrusted_", "untrusted"],
  ["rcu_", "protected by RCU"],
  ["user_", "in user space"],
  ["percpu_", "of this CPU"],
  ["rdonly_", "read only"],
  ["alloc_", "allocated"],
  ["non_own_ref_", "not owned"],
];

/** `smin=0,smax=umax=0xff,var_off=(0x0; 0xff)` by name; names of kernels before 6.2 (`umax_value`) without `_value`. */
type Fields = ReadonlyMap<string, string>;

/**
 * The state of a register in words: `number 0..255`, `pointer to a value of map "flows" (8 bytes), or null`. What is
 * not known here comes out as the verifier wrote it.
 */
export function registerWords(state: string): string {
  const match = /^([A-Za-z_][\w]*?)?(-?(?:0x[0-9a-f]+|\d+))?(?:\((.*)\))?$/.exec(state);
  if (match === null) return stackWords(state) ?? state;
  const [, type = "", number, inside] = match;
  if (number !== undefined && ["", "P", "inv", "invP"].includes(type)) return `number ${decimal(number)}`;
  const fields = parseFields(inside ?? "");
  if (number === undefined && ["scalar", "Pscalar", "inv", "invP"].includes(type)) return numberWords(fields);
  return stackWords(state) ?? pointerWords(number === undefined ? type : `${type}${number}`, fields) ?? state;
}

/** Whether a state is that of a pointer that may be null. */
export function mayBeNull(state: string): boolean {
  return /(^|_)or_null(_|\(|$)/.test(state);
}

function stackWords(state: string): string | undefined {
  const [, offset, rest = ""] = /^fp(-?\d+)?(.*)$/.exec(state) ?? [];
  // Kernels before 4.20 add the call: `fp0,call_-1`.
  if (!state.startsWith("fp") || !/^(,call_-?\d+|\(.*\))?$/.test(rest)) return undefined;
  const below = -Number(offset ?? 0);
  return below === 0 ? "the top of the stack" : `pointer to the stack, ${below} bytes below its top`;
}

function numberWords(fields: Fields): string {
  const least = fields.get("smin");
  const signed = least?.startsWith("-") === true;
  const low = signed ? least : (fields.get("umin") ?? least);
  const high = signed ? fields.get("smax") : fields.get("umax");
  const narrow =
    fields.get("smax32") === undefined ? "" : `, as 32 bits with sign at most ${decimal(fields.get("smax32"))}`;
  if (low === undefined && high === undefined) return narrow === "" ? "any number" : `any number${narrow}`;
  // Without a least value a largest one is that of a number without sign.
  if (high === undefined) return `number of at least ${decimal(low)}${narrow}`;
  return `number ${decimal(low ?? "0")}..${decimal(high)}${narrow}`;
}

function pointerWords(name: string, fields: Fields): string | undefined {
  let type = name;
  const words: string[] = [];
  const orNull = mayBeNull(type);
  type = type.replace(/_or_null(?=_|$)/, "");
  for (let flag = FLAGS.find(([prefix]) => type.startsWith(prefix)); flag !== undefined; ) {
    type = type.slice(flag[0].length);
    words.push(flag[1]);
    flag = FLAGS.find(([prefix]) => type.startsWith(prefix));
  }
  const target = targetWords(type, fields);
  if (target === undefined) return undefined;
  const text = type === "map_ptr" ? target : `pointer to ${target}${distanceWords(fields)}`;
  const checked = type === "pkt" && fields.has("r") ? `, ${fields.get("r")} bytes of it checked` : "";
  return `${text}${words.length === 0 ? "" : ` (${words.join(", ")})`}${checked}${orNull ? ", or null" : ""}`;
}

function targetWords(type: string, fields: Fields): string | undefined {
  const map = fields.get("map");
  if (type === "map_ptr") return map === undefined ? "a map" : `map "${map}"`;
  if (type === "map_value") {
    const size = fields.get("vs");
    return `a value of ${map === undefined ? "a map" : `map "${map}"`}${size === undefined ? "" : ` (${size} bytes)`}`;
  }
  const size = fields.get("sz") ?? fields.get("mem_size");
  const known = TARGETS[type];
  if (known !== undefined) return size === undefined ? known : `${known} (${size} bytes)`;
  const struct = /^ptr_(\w+)$/.exec(type)?.[1];
  if (struct !== undefined) return struct === "" ? undefined : `struct ${struct}`;
  return undefined;
}

/** How far behind the start it points: `, 14 bytes in`, `, 0..255 bytes in`. */
function distanceWords(fields: Fields): string {
  const fixed = BigInt(wholeNumber(fields.get("off") ?? fields.get("imm")) ?? 0);
  const least = wholeNumber(fields.get("umin") ?? fields.get("smin")) ?? "0";
  const most = wholeNumber(fields.get("umax"));
  if (most === undefined) return fixed === 0n ? "" : `, ${fixed} bytes in`;
  return `, ${fixed + BigInt(least)}..${fixed + BigInt(most)} bytes in`;
}

function parseFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const part of text.replace(/\([^()]*\)/g, "()").split(",")) {
    const names = part.split("=");
    const value = names.pop();
    if (value === undefined) continue;
    for (const name of names) fields.set(fieldName(name), value);
  }
  return fields;
}

/** `s32_max_value` of 5.7 to 6.1 is `smax32` since. */
function fieldName(name: string): string {
  const [, sign, end] = /^([us])32_(min|max)_value$/.exec(name.trim()) ?? [];
  return sign === undefined ? name.trim().replace(/_value$/, "") : `${sign}${end}32`;
}

function decimal(value: string | undefined): string {
  return wholeNumber(value) ?? value ?? "";
}

/** A number of the log, decimal or `0x`, in decimal; undefined when it is none. */
function wholeNumber(value: string | undefined): string | undefined {
  const [, sign = "", digits] = /^(-?)(0x[0-9a-f]+|\d+)$/.exec(value ?? "") ?? [];
  return digits === undefined ? undefined : `${sign}${BigInt(digits)}`;
}
