// SPDX-License-Identifier: Apache-2.0

/** What stands for a pointer's target, by the verifier's name of its type (reg_type_str, kernel/bpf/log.c). */
const TARGETS: ReadonlyMap<string, string> = new Map(
  Object.entries({
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
  }),
);

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
  if (number !== undefined && ["", "P", "inv", "invP"].includes(type)) return `number ${wholeNumber(number)}`;
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
  const { low, high } = boundsOf(fields);
  const most = signedNumber(fields.get("smax32"));
  const narrow = most === undefined ? "" : `, as 32 bits with sign at most ${most}`;
  if (low === undefined && high === undefined) return `any number${narrow}`;
  // Without a least value a largest one is that of a number without sign.
  if (high === undefined) return `number of at least ${low}${narrow}`;
  return `number ${low ?? 0n}..${high}${narrow}`;
}

/** The least and the largest value, with sign where it may be negative. */
function boundsOf(fields: Fields): { readonly low: bigint | undefined; readonly high: bigint | undefined } {
  const least = signedNumber(fields.get("smin"));
  if (least !== undefined && least < 0n) return { low: least, high: signedNumber(fields.get("smax")) };
  return { low: wholeNumber(fields.get("umin")) ?? least, high: wholeNumber(fields.get("umax")) };
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
  const known = TARGETS.get(type);
  if (known !== undefined) return size === undefined ? known : `${known} (${size} bytes)`;
  const struct = /^ptr_(\w+)$/.exec(type)?.[1];
  if (struct !== undefined) return struct === "" ? undefined : `struct ${struct}`;
  return undefined;
}

/** How far behind the start it points: `, 14 bytes in`, `, 0..255 bytes in`; with a minus before the start. */
function distanceWords(fields: Fields): string {
  const fixed = signedNumber(fields.get("off") ?? fields.get("imm")) ?? 0n;
  const { low, high } = boundsOf(fields);
  if (high !== undefined) return `, ${fixed + (low ?? 0n)}..${fixed + high} bytes in`;
  if (low !== undefined) return `, at least ${fixed + low} bytes in`;
  return fixed === 0n ? "" : `, ${fixed} bytes in`;
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

/** A number of the log, decimal or `0x`; undefined when it is none. */
function wholeNumber(value: string | undefined): bigint | undefined {
  const [, sign, digits] = /^(-?)(0x[0-9a-f]+|\d+)$/.exec(value ?? "") ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
}

/** A number with sign, which kernels from 6.8 on write as its 64 bits when it is beyond 16: `0xffffffff80000000`. */
function signedNumber(value: string | undefined): bigint | undefined {
  const number = wholeNumber(value);
  return number === undefined ? undefined : BigInt.asIntN(64, number);
}
