// SPDX-License-Identifier: Apache-2.0

import { helperName } from "../disassemble/helper-names.ts";
import { helperVersion } from "../disassemble/helper-versions.ts";

/** What is known of the program when a message is explained. */
export interface MessageContext {
  /** The instruction at fault, as text. */
  readonly instruction: string;
  /** Such as `xdp`; undefined when the program is not at hand. */
  readonly programType: string | undefined;
  readonly license: string | undefined;
  /** Where the line of C of another instruction is, `exec.bpf.c:12`, or `instruction 5` without lines. */
  placeOf(instruction: number): string;
}

/** A message in plain words. */
export interface Explanation {
  readonly explanation: string;
  readonly hint: string | undefined;
}

type Explain = (match: readonly string[], context: MessageContext) => Explanation;

/** The text of the group `n` of a match. */
function group(match: readonly string[], n: number): string {
  return match[n] ?? "";
}

function says(explanation: string, hint?: string): Explain {
  return () => ({ explanation, hint });
}

const NULL_CHECK = "Compare it with NULL, and use it only where it is not.";
const BOUND =
  "Keep the offset or the size below its bound before it is used, in a way that the compiler keeps: `if (i >= N) return 0;`, or `i &= N - 1` with N a power of two. The comparison must be of the very value that is used, unsigned.";
const PACKET =
  "Before the access: `if (pointer + bytes > data_end) return …;`, with data_end from the same context, and again after each helper that changes the packet.";

/** A helper that the kernel knows, or does not know, and not for this program: `bpf_skb_store_bytes#9`. */
function helper(name: string, id: string, { programType }: MessageContext): Explanation {
  const version = helperVersion(Number(id));
  const came = version === undefined ? "" : `${name} came with Linux ${version}; `;
  return {
    explanation: `This kernel has no helper ${name} for programs of ${programType === undefined ? "this type" : `type ${programType}`}.`,
    hint: `${came}newer kernels may have it for more program types, and builds may leave it out.`,
  };
}

/** Bytes of the stack by their distance from its top, which is negative for all that it has. */
function outsideOfStack(offset: number, size: number): Explanation {
  if (offset < -512) {
    return {
      explanation: `The access is ${-offset} bytes below the top of the stack, which has 512.`,
      hint: "Keep large variables in a per-CPU array map.",
    };
  }
  if (offset + size > 0) {
    return {
      explanation: `The access is of ${size} bytes and goes ${offset + size} bytes beyond the top of the stack.`,
      hint: "The size must be no larger than the variable, and the index must stay within it.",
    };
  }
  return {
    explanation: "The access lies outside of the stack, or reads bytes of it that were never written.",
    hint: "Give all of the variable a value first, its padding as well (`= {}`, __builtin_memset).",
  };
}

/** A helper whose number is beyond those of the kernel. */
function helperBeyond(id: number): Explanation {
  const version = helperVersion(id);
  return version === undefined
    ? {
        explanation: `No helper has the number ${id}: they end with 211, and newer functions are kfuncs.`,
        hint: undefined,
      }
    : {
        explanation: `This kernel has no helper bpf_${helperName(id)}.`,
        hint: `bpf_${helperName(id)} came with Linux ${version}, and this kernel is older.`,
      };
}

/** The verifier's usual messages, the more specific ones first. Not anchored: some kernels put more around them. */
const MESSAGES: readonly (readonly [pattern: RegExp, explain: Explain])[] = [
  [
    /R(\d+) invalid mem access '(\w+?)_or_null\w*'/,
    (m) => ({
      explanation: `r${group(m, 1)} may be NULL here, and the instruction reads or writes where it points.`,
      hint: NULL_CHECK,
    }),
  ],
  [
    /R(\d+) pointer arithmetic on \S*_or_null\S* prohibited/,
    (m) => ({ explanation: `r${group(m, 1)} may be NULL here, and something is added to it.`, hint: NULL_CHECK }),
  ],
  [
    /Possibly NULL pointer passed to (?:trusted|helper) (?:arg|R)(\d+)/,
    (m) => ({ explanation: `Argument ${group(m, 1)} may be NULL here.`, hint: NULL_CHECK }),
  ],
  [
    /R(\d+) type=(\w*_or_null\w*) expected=(.+)/,
    (m) => ({
      explanation: `r${group(m, 1)} may be NULL here, and the function wants ${group(m, 3)}.`,
      hint: NULL_CHECK,
    }),
  ],
  [
    /R(\d+) invalid mem access '(?:scalar|inv|imm|unknown)'/,
    (m) => ({
      explanation: `r${group(m, 1)} holds a number, as far as the verifier knows, and the instruction reads or writes where it points.`,
      hint: "Kernel memory whose type the verifier does not know is read with bpf_probe_read_kernel (BPF_CORE_READ), memory of a process with bpf_probe_read_user. Pointers become numbers when they are cast to integers or kept in maps.",
    }),
  ],
  [
    /invalid access to packet, off=(-?\d+) size=(\d+)/,
    (m) => ({
      explanation: `It is not known that the packet has the ${bytes(group(m, 1), group(m, 2))} behind the pointer.`,
      hint: PACKET,
    }),
  ],
  [/R\d+ offset is outside of the packet/, says("The access is not known to lie in the packet.", PACKET)],
  [
    /invalid access to map value, value_size=(\d+) off=(-?\d+) size=(\d+)/,
    (m) => ({
      explanation: `The access may reach ${bytes(group(m, 2), group(m, 3))} of a map value of ${group(m, 1)} bytes.`,
      hint: BOUND,
    }),
  ],
  [
    /R(\d+) unbounded memory access, (?:use 'var &= const'|make sure)/,
    (m) => ({
      explanation: `Nothing keeps what r${group(m, 1)} points to, or the size in it, below a bound.`,
      hint: BOUND,
    }),
  ],
  [
    /math between (\S+) pointer and register with unbounded min value/,
    (m) => ({
      explanation: `What is added to a pointer (${group(m, 1)}) may be negative without a bound, as far as the verifier knows.`,
      hint: BOUND,
    }),
  ],
  [
    /math between (\S+) pointer and (-?\d+) is not allowed|value (-?\d+) makes (\S+) pointer be out of bounds/,
    (m) => ({
      explanation: `${m[2] ?? group(m, 3)} is too much to add to a pointer (${m[1] ?? group(m, 4)}).`,
      hint: BOUND,
    }),
  ],
  [
    /R(\d+) must have zero offset when passed to release func/,
    (m) => ({
      explanation: `r${group(m, 1)} must be the pointer as it was given; something was added to it.`,
      hint: "Keep the pointer that was acquired in a variable of its own.",
    }),
  ],
  [
    /(?:R(\d+) )?invalid zero-sized read/,
    (m) => ({
      explanation: `The size${m[1] === undefined ? "" : ` in r${m[1]}`} may be 0, which this function does not take.`,
      hint: "Make sure of a size of at least 1 and at most the buffer's: `if (size < 1 || size > sizeof(buffer)) return …;`.",
    }),
  ],
  [
    /R(\d+) min value is negative/,
    (m) => ({
      explanation: `r${group(m, 1)} may be negative, and is used as a size or an offset.`,
      hint: `Use an unsigned type, or make sure that it is not negative. ${BOUND}`,
    }),
  ],
  [
    /R(\d+) (?:min|max) value is outside of the (?:allowed memory|array|buffer)/,
    (m) => ({
      explanation: `The offset in r${group(m, 1)} may lead outside of what it is an offset into.`,
      hint: BOUND,
    }),
  ],
  [
    /back-edge from insn (\d+) to (\d+)/,
    (m, { placeOf }) => ({
      explanation: `The program jumps back from instruction ${group(m, 1)} (${placeOf(Number(group(m, 1)))}) to ${group(m, 2)} (${placeOf(Number(group(m, 2)))}): a loop, which kernels before 5.3 refuse, and newer ones for unprivileged users.`,
      hint: "Unroll it (`#pragma unroll`) for old kernels.",
    }),
  ],
  [
    /infinite loop detected at insn (\d+)/,
    (m, { placeOf }) => ({
      explanation: `The loop at instruction ${group(m, 1)} (${placeOf(Number(group(m, 1)))}) comes round with nothing changed that could end it.`,
      hint: "Count in a variable whose bound the verifier sees (5.3), or use bpf_for (open-coded iterators, 6.4), bpf_loop (5.17) or may_goto (6.10).",
    }),
  ],
  [
    /BPF program is too large\. Processed (\d+) insn/,
    (m) => ({
      explanation: `The verifier gave up after ${group(m, 1)} instructions on all paths together.`,
      hint: "Each round of a loop and each branch before it counts anew: use bpf_loop (5.17) or bpf_for (6.4), make functions global so that they are verified once (5.6), or split the program by tail calls.",
    }),
  ],
  [
    /The sequence of (\d+) jumps is too complex/,
    (m) => ({
      explanation: `More than ${group(m, 1)} branches wait to be verified at once.`,
      hint: "Reduce the number of conditions in a row, or move some into a global function (5.6).",
    }),
  ],
  [/program of this type cannot use helper (\S+)#(\d+)/, (m, context) => helper(group(m, 1), group(m, 2), context)],
  [
    /(?:unknown|invalid) func unknown#195896080/,
    says("A CO-RE relocation of this instruction has no answer in this kernel: a type, a field or a value is missing."),
  ],
  [/unknown func (\S+)#(\d+)/, (m, context) => helper(group(m, 1), group(m, 2), context)],
  [/invalid func unknown#(\d+)/, (m) => helperBeyond(Number(group(m, 1)))],
  [
    /verifier (?:bug|internal error)|kernel subsystem misconfigured verifier/,
    says(
      "The verifier found an error in itself: it is a defect of this kernel.",
      "Another version may take the program.",
    ),
  ],
  [
    /cannot call (?:GPL-restricted|GPL only) function from (?:non-GPL compatible|proprietary) program/,
    (_, { license, instruction }) => ({
      explanation: `${called(instruction) ?? "The function"} is for programs under a GPL-compatible license only; ${license === undefined ? "this program's is not" : license === "" ? "this object has no license" : `this one's license is "${license}"`}.`,
      hint: 'GPL-compatible, to the letter: "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL". It stands in the section `license`: `char LICENSE[] SEC("license") = "GPL";`.',
    }),
  ],
  [
    /cannot call kernel function from non-GPL compatible program/,
    (_, { license }) => ({
      explanation: `Kernel functions are for programs under a GPL-compatible license only${license === undefined ? "" : `; this one's is "${license}"`}.`,
      hint: 'Such as `char LICENSE[] SEC("license") = "GPL";`.',
    }),
  ],
  [
    /invalid bpf_context access off=(-?\d+) size=(\d+)/,
    (m, { programType }) => ({
      explanation: `Programs of ${programType === undefined ? "this type" : `type ${programType}`} may not access ${group(m, 2)} bytes at byte ${group(m, 1)} of their context.`,
      hint: "The field does not exist there, is for other attach types or newer kernels, is read only, or must be read as a whole. For tracing programs: the function has fewer arguments, or one that is no pointer or integer.",
    }),
  ],
  [
    /R(\d+) !read_ok/,
    (m, { instruction }) => ({
      explanation: `r${group(m, 1)} has no value on this path${instruction === "exit" && group(m, 1) === "0" ? ": the function returns without one" : ""}.`,
      hint: "Give the variable a value on every path. Calls destroy r1 to r5.",
    }),
  ],
  [
    /Unreleased reference id=\d+ alloc_insn=(\d+)/,
    (m, { placeOf }) => ({
      explanation: `What was acquired by instruction ${group(m, 1)} (${placeOf(Number(group(m, 1)))}) is not given back on this path.`,
      hint: "Call what releases it on every path: bpf_ringbuf_submit or bpf_ringbuf_discard, bpf_sk_release, or the function that belongs to it.",
    }),
  ],
  [
    /(?:reference leak|would lead to reference leak)/,
    says("Something that was acquired is not given back on this path.", "Release it on every path."),
  ],
  [
    /bpf_spin_unlock is missing|inside bpf_spin_lock-ed region|inside bpf_(?:res_)?spin_lock/,
    says(
      "The lock is held here, and what comes next is not allowed under it.",
      "Call bpf_spin_unlock on every path before.",
    ),
  ],
  [
    /inside bpf_(rcu_read_lock|preempt_disable|local_irq_save)-ed region/,
    (m) => ({
      explanation: `The section that bpf_${group(m, 1)} began is not ended on this path.`,
      hint: "End it on every path.",
    }),
  ],
  [
    /combined stack size of (\d+) calls is (\d+)/,
    (m) => ({
      explanation: `${group(m, 1)} functions that call each other take ${group(m, 2)} bytes of stack together, and there are 512.`,
      hint: "Keep large variables in a per-CPU array map, or have fewer in one chain of calls.",
    }),
  ],
  [
    /invalid (?:write to|read from|indirect access to) stack R\d+ off=(-?\d+) size=(\d+)/,
    (m) => outsideOfStack(Number(group(m, 1)), Number(group(m, 2))),
  ],
  [
    /invalid (?:indirect )?read from stack/,
    says(
      "Bytes of the stack are read that were never written on this path.",
      "Give all of the variable a value first, its padding as well (`= {}`, __builtin_memset).",
    ),
  ],
  [
    /R(\d+) leaks addr/,
    (m) => ({
      explanation: `r${group(m, 1)} holds an address of the kernel, which would get to user space.`,
      hint: "Without CAP_PERFMON, pointers cannot be returned, compared or stored in maps.",
    }),
  ],
  [
    /misaligned (\w+) access/,
    (m) => ({
      explanation: `The address (${group(m, 1)}) is no multiple of the size of the access.`,
      hint: "Align the variable, or access it byte by byte (`__attribute__((packed))`, __builtin_memcpy).",
    }),
  ],
  [
    /R(\d+) type=(\S+) expected=(.+)/,
    (m, { instruction }) => ({
      explanation: `${called(instruction) ?? "The function"} wants ${group(m, 3)} as argument ${group(m, 1)}, and r${group(m, 1)} is ${group(m, 2)}.`,
      hint: undefined,
    }),
  ],
  [
    /helper call might sleep in a non-sleepable prog|sleepable (?:helper|kfunc) .* within|must be sleepable to call sleepable kfunc|is sleepable within|sleepable helper .* in (.*) region/,
    (_, { instruction }) => ({
      explanation: `${called(instruction) ?? "The function"} may sleep, and here nothing may.`,
      hint: 'Make the program sleepable (sections that end in ".s", such as `lsm.s/` and `uprobe.s`), and call it outside of locks, RCU sections and callbacks.',
    }),
  ],
  [
    /write into map forbidden/,
    says(
      "The map is read only for programs.",
      "Variables that are `const` lie in .rodata: set them before the load, or leave out the const.",
    ),
  ],
  [/read from map forbidden/, says("The map is write only for programs (BPF_F_WRONLY_PROG).")],
  [
    /R(\d+) (?:bitwise operator|pointer arithmetic with) (\S+) (?:on pointer|operator) prohibited/,
    (m) => ({
      explanation: `r${group(m, 1)} is a pointer, and to pointers numbers can be added only: not ${group(m, 2)}.`,
      hint: undefined,
    }),
  ],
  [
    /dereference of modified (\S+) ptr/,
    (m) => ({
      explanation: `A pointer to ${group(m, 1)} must be used as it was given; something was added to it.`,
      hint: 'The compiler may have moved an offset out of a loop or a branch: a barrier (`asm volatile("" : "+r"(ctx));`) before the access keeps it apart.',
    }),
  ],
  [/unreachable insn (\d+)/, (m) => ({ explanation: `No path leads to instruction ${group(m, 1)}.`, hint: undefined })],
  [
    /(?:the register|At program exit the register) R0 has (.+) should have been in (.+)/,
    (m, { programType }) => ({
      explanation: `${programType === undefined ? "The program" : `A program of type ${programType}`} must return a value in ${ranges(group(m, 2))}; on this path it is ${ranges(group(m, 1)).replace(/\bs(min|max)=/g, "$1=")}.`,
      hint: undefined,
    }),
  ],
  [
    /access beyond struct (\w+) at off (\d+) size (\d+)/,
    (m) => ({
      explanation: `This kernel's struct ${group(m, 1)} does not have the ${bytes(group(m, 2), group(m, 3))}.`,
      hint: "Declare the struct with `__attribute__((preserve_access_index))`, so that fields are found where this kernel has them.",
    }),
  ],
  [
    /calling kernel function (\S+) is not allowed/,
    (m, { programType }) => ({
      explanation: `The kernel has ${group(m, 1)}, but not for programs of ${programType === undefined ? "this type" : `type ${programType}`}.`,
      hint: undefined,
    }),
  ],
  [
    /(?:attach_btf_id \d+ is not|Tracing programs must provide btf_id|attach_btf_id .* invalid)/,
    says(
      "What the program is to be attached to is not in the kernel's types, or of another kind.",
      "Look for it with `skep bpf vmlinux-h`; functions that the compiler inlined are not there.",
    ),
  ],
  [
    /tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls/,
    says(
      "Tail calls and functions go together in compiled programs only.",
      "Switch the JIT on: net.core.bpf_jit_enable=1.",
    ),
  ],
  [
    /unknown opcode ([0-9a-f]+)/,
    (m) => ({
      explanation: `This kernel knows no instruction 0x${group(m, 1)}.`,
      hint:
        group(m, 1) === "8d"
          ? "It is a call through a pointer, which no kernel takes."
          : "It may be of a newer version of the instruction set: compile with an older -mcpu (v3 for kernels before 6.6).",
    }),
  ],
  [
    /(?:last insn is not an exit or jmp|jump out of range from insn)/,
    says(
      "The control flow leaves the program.",
      "A function without a return (undefined behaviour, such as a division by 0 or an endless loop) is cut off by the compiler.",
    ),
  ],
  // Behind what the arguments are refused for.
  [
    /Caller passes invalid args into func#\d+ \('(\w+)'\)/,
    (m) => ({
      explanation: `The arguments are not of the types that the global function ${group(m, 1)} declares.`,
      hint: "A global function is verified by itself, for whatever its parameters' types allow: pointers may be null unless tagged __arg_nonnull, the context tagged __arg_ctx (6.8).",
    }),
  ],
];

/** What a message means; undefined for those that are not known here. `messages` in the order of the log. */
export function explainMessages(messages: readonly string[], context: MessageContext): Explanation | undefined {
  const text = messages.join("\n");
  for (const [pattern, explain] of MESSAGES) {
    const match = pattern.exec(text);
    if (match !== null) return explain(match, context);
  }
  return undefined;
}

/** Kernels before 6.8 write what is known of the bits: `(0x0; 0x1)` is `[0, 1]`, `value (0x5; 0x0)` is `5`. */
function ranges(text: string): string {
  return text.replace(/(?:value )?\((0x[0-9a-f]+); (0x[0-9a-f]+)\)/g, (_, value: string, mask: string) =>
    mask === "0x0" ? `${BigInt(value)}` : `[${BigInt(value)}, ${BigInt(value) | BigInt(mask)}]`,
  );
}

/** `byte 14`, `bytes 14 to 17`. */
function bytes(offset: string, size: string): string {
  return size === "1" ? `byte ${offset}` : `bytes ${offset} to ${Number(offset) + Number(size) - 1}`;
}

/** The function that an instruction calls, `bpf_loop`. */
function called(instruction: string): string | undefined {
  return /^call (\w+)#/.exec(instruction)?.[1];
}
