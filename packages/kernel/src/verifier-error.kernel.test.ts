// SPDX-License-Identifier: Apache-2.0

import { explainVerifierError, load, VerifierError } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";

const spec = objectSpec("refused");
const licensed = objectSpec("refused-license");

function refusal(program: string, from = spec): VerifierError {
  try {
    load(from, { engine: new KernelEngine(), programs: [program] }).close();
  } catch (error) {
    if (error instanceof VerifierError) return error;
    throw error;
  }
  throw new Error(`${program} was accepted`);
}

describe("a refused program", () => {
  /**
   * The line of C at fault, a part of the explanation, and the registers by name and a part of their words. Names of
   * maps are in the logs of newer kernels only.
   */
  it.each<[string, string, string | RegExp, Record<string, string>?]>([
    ["null_dereference", "counted->hits++;", "r0 may be NULL here", { r0: "(40 bytes), or null" }],
    ["in_subprogram", "return counted->hits;", "r1 may be NULL here", { r1: "or null" }],
    [
      "packet_bounds",
      "return data[14] == 0x45 ? XDP_DROP : XDP_PASS;",
      "the packet has the byte 14",
      { r1: "the packet" },
    ],
    ["unbounded_index", "return counted->bytes[skb->len];", "below a bound", { r0: "(40 bytes), 0.." }],
    ["value_overrun", "return *(__u32 *)(counted + sizeof(struct counted));", "bytes 40 to 43 of a map value of 40"],
    ["negative_size", "return bpf_skb_load_bytes(skb, 0, header, size);", "The size", { r4: "number" }],
    ["endless_loop", "asm volatile", "comes round"],
    [
      "unknown_helper",
      "return bpf_skb_store_bytes(skb, 0, data, sizeof(data), 0);",
      "bpf_skb_store_bytes for programs of type socket_filter",
    ],
    ["no_such_helper", "return helper(skb);", "No helper has the number 4711"],
    ["bad_context", "return *(volatile __u32 *)((char *)skb + 4096);", "4 bytes at byte 4096 of their context"],
    ["no_return_value", "asm volatile", "the function returns without one"],
    ["unreachable_code", "asm volatile", "No path leads to instruction 2"],
    ["kept_reference", "return 0;", /instruction 5 .*is not given back/],
    ["held_lock", "}", "The lock is held"],
    ["deep_stack", "asm volatile", "600 bytes below the top"],
    ["misaligned", "asm volatile", "no multiple of the size"],
    ["wrong_argument", "asm volatile", "bpf_map_lookup_elem wants map_ptr as argument 1", { r1: "number 5" }],
    ["scalar_dereference", "asm volatile", "r1 holds a number", { r1: "number 5" }],
    ["pointer_arithmetic", "asm volatile", "r1 is a pointer", { r1: "the program's context" }],
    [
      "read_only",
      "*(volatile __u32 *)&constant = skb->len;",
      "read only for programs",
      { r2: "pointer to a value of " },
    ],
    ["return_range", "return 5;", "must return a value in"],
    ["missing_field", "return task->no_such_field;", "this kernel has no task_struct.no_such_field"],
  ])("%s is explained", (program, text, explanation, registers = {}) => {
    const { finding, message, log } = refusal(program);
    expect(finding.source?.text).toContain(text);
    expect(finding.source?.file).toContain("refused.bpf.c");
    expect(finding.source?.line).toBeGreaterThan(0);
    expect(finding.explanation).toMatch(explanation);
    expect(finding.function).toBe(program === "in_subprogram" ? "deeper" : program);
    const words = Object.fromEntries(finding.registers.map((register) => [register.name, register.words]));
    for (const [name, part] of Object.entries(registers)) expect(words[name]).toContain(part);
    expect(message).toMatch(/^program "\w+" was refused: [^\n]+ \(refused\.bpf\.c:\d+:\d+\)$/);
    expect(log).toContain("processed ");
  });

  it("whose stack is too deep in all is explained without an instruction", () => {
    const { finding } = refusal("combined_stack");
    expect(finding.instruction).toBeUndefined();
    expect(finding.explanation).toMatch(/^2 functions that call each other take \d+ bytes/);
  });

  it("under another license is told which it has and which it needs", () => {
    const error = refusal("gpl_only", licensed);
    expect(error.finding.explanation).toBe(
      'bpf_probe_read_kernel is for programs under a GPL-compatible license only; this one\'s license is "Proprietary".',
    );
    expect(explainVerifierError(error)).toContain('"Dual BSD/GPL"');
  });

  it("says in its message what of the kernel's types is missing", () => {
    expect(refusal("missing_field").message).toContain(
      "the program needs the byte offset of task_struct.no_such_field, and this kernel has no task_struct.no_such_field",
    );
  });
});

describe("the verifier's log", () => {
  it("is there on success when it is asked for", () => {
    using silent = loadObject("maps", { programs: ["count_here"] });
    expect(silent.collection.program("count_here").verifierLog).toBe("");
    using told = loadObject("maps", { programs: ["count_here"], verifierLog: ["instructions", "statistics"] });
    const { verifierLog } = told.collection.program("count_here");
    expect(verifierLog).toMatch(/^processed \d+ insns/m);
    expect(verifierLog).toMatch(/^\d+: \([0-9a-f]{2}\) /m);
    using counted = loadObject("maps", { programs: ["count_here"], verifierLog: ["statistics"] });
    expect(counted.collection.program("count_here").verifierLog).toMatch(/^verification time/m);
  });

  it("tells of a refusal at the level that was asked for, and nothing when it is off", () => {
    const engine = new KernelEngine();
    const attempt = (verifierLog: "off" | readonly ["instructions"]) => () =>
      load(spec, { engine, programs: ["no_return_value"], verifierLog }).close();
    expect(attempt(["instructions"])).toThrow(VerifierError);
    expect(attempt("off")).toThrow("bpf(BPF_PROG_LOAD) failed");
    expect(attempt("off")).not.toThrow(VerifierError);
  });
});
