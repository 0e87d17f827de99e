// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AssemblyInstruction, editProgram, load, type ProgramSpec } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { callNames } from "./call-names.ts";
import { KernelEngine } from "./kernel-engine.ts";
import { enableProgramStats, openProgram } from "./open-program.ts";

/** Whether the kernel compiles programs, so that there is machine code to be seen. */
const jit = readFileSync("/proc/sys/net/core/bpf_jit_enable", "utf8").trim() !== "0";

describe("a loaded program", () => {
  it("is shown with the names of maps and helpers and the lines of C", () => {
    using object = loadObject("maps");
    const program = object.program("count_here");
    const instructions = program.instructions();
    expect(instructions[0]).toMatchObject({ slot: 0, symbol: "count_here" });
    const loads = instructions.filter(({ mapId }) => mapId !== undefined);
    expect(loads.map(({ text }) => text)).toContainEqual(expect.stringMatching(/ = map\[percpu_array\]$/));
    expect(program.info().mapIds).toEqual(expect.arrayContaining(loads.map(({ mapId }) => mapId)));
    const lines = instructions.flatMap(({ source }) => source?.text ?? []);
    expect(lines).toContainEqual(expect.stringContaining("bpf_map_lookup_elem(&percpu_array, &index)"));
    expect(program.disassemble()).toMatch(/^ {5}; .*percpu_array.* @ maps\.bpf\.c:\d+$/m);
    // Opened by somebody who knows nothing of the object, it looks the same.
    using other = openProgram(program.info().id);
    expect(other.disassemble()).toBe(program.disassemble());
  });

  it("names the functions of the kernel that it calls", () => {
    using object = loadObject("links", { programs: ["on_tp_btf"] });
    const calls = object
      .program("on_tp_btf")
      .instructions()
      .flatMap(({ calls: name }) => name ?? []);
    expect(calls).toContain("bpf_get_current_comm");
    expect(calls).toContainEqual(expect.stringContaining("ringbuf_output"));
  });

  it("has machine code, with a place for every line and a length for every function", (ctx) => {
    if (!jit) ctx.skip("the kernel interprets programs");
    const spec = objectSpec("../../ebpf/test-objects/subprograms");
    using app = load(spec, { engine: new KernelEngine(), programs: ["second"] });
    using program = openProgram(idOf(app.program("second").program));
    const code = program.code();
    expect(code.functions).toHaveLength(code.functionInfo.length);
    expect(code.functions.length).toBeGreaterThan(1);
    expect(code.functions.reduce((sum, { size }) => sum + size, 0)).toBe(code.jited.length);
    expect(code.functions.every(({ tag }) => /^[0-9a-f]{16}$/.test(tag))).toBe(true);
    expect(code.jitedLines).toHaveLength(code.lineInfo.length);
    const [first] = code.functions;
    expect(code.jitedLines[0]).toBeGreaterThanOrEqual(first?.address ?? 0n);
    expect(program.disassemble()).toMatch(/call scale$/m);
    expect(program.info().verifiedInstructions).toBeGreaterThan(0);
  });

  it("counts its runs while statistics are switched on", () => {
    using object = loadObject("maps");
    {
      using _stats = enableProgramStats();
      object.run("count_here", 3);
    }
    object.run("count_here", 2);
    expect(object.program("count_here").info().stats).toMatchObject({ runs: 3n, recursionMisses: 0n });
  });

  it("says what it was verified against", () => {
    using object = loadObject("links", { programs: ["on_tp_btf"] });
    const { attachBtfId, attachBtfObjectId } = object.program("on_tp_btf").info();
    expect(attachBtfId).toBeGreaterThan(0);
    expect(attachBtfObjectId).toBeGreaterThan(0);
  });

  it("is an error in words where the kernel hides it", () => {
    using object = loadObject("maps", { programs: ["count_here"] });
    const script = `
      import { KernelProgram } from ${JSON.stringify(new URL("./kernel-program.ts", import.meta.url).href)};
      import { FileDescriptor } from "@skep/linux";
      const program = new KernelProgram({ name: "count_here" }, new FileDescriptor(3));
      try { program.instructions(); } catch (error) { console.log(error.code, error.message); }
    `;
    const child = spawnSync(
      "setpriv",
      [
        ...["--bounding-set=-all", "--inh-caps=-all", process.execPath, "--conditions=skep-source"],
        ...["--input-type=module", "-e", script],
      ],
      {
        encoding: "utf8",
        cwd: import.meta.dirname,
        stdio: ["ignore", "pipe", "pipe", object.program("count_here").fd.number],
      },
    );
    expect(child.stderr).toBe("");
    expect(child.stdout).toMatch(
      /^ERR_RESTRICTED_KERNEL program "count_here": the kernel hides its instructions from this process \(.*CAP_BPF.*, kernel\.kptr_restrict is \d/,
    );
  });
});

describe("names of calls", () => {
  const kallsyms =
    "ffffffff81000000 T _stext\nffffffff81000100 T __bpf_call_base\nffffffff81000080 t back\nffffffff81000200 T ahead\t[module]\n";

  it("are found before and behind the base", () => {
    const names = callNames(
      new Map([
        [1, 0x100],
        [4, -0x80],
        [7, 0x100],
        [9, 5],
        [10, 0],
      ]),
      () => kallsyms,
    );
    expect(Object.fromEntries(names)).toEqual({ 1: "ahead", 4: "back", 7: "ahead" });
  });

  it("are left out where addresses are hidden", () => {
    expect(callNames(new Map([[1, 0x100]]), () => kallsyms.replace(/^f\w+/gm, "0000000000000000")).size).toBe(0);
    expect(callNames(new Map([[1, 0x100]]), () => "").size).toBe(0);
  });
});

describe("an edited program", () => {
  /** Jumps to the next instruction before every instruction, or behind those that do not end a function. */
  function padded(program: ProgramSpec, seed: number): ProgramSpec {
    const nop: AssemblyInstruction = { opcode: 0x05 };
    let state = seed;
    return editProgram(program, (editor) => {
      for (let i = editor.instructions.length - 1; i >= 0; i--) {
        state = (state * 1103515245 + 12345) & 0x7fffffff;
        if (state % 3 === 0) editor.insertBefore(i, nop);
        else if (state % 3 === 1 && editor.instructions[i]?.opcode !== 0x95) editor.insertAfter(i, nop, nop);
      }
    });
  }

  it("does the same when no-ops are put in", () => {
    const spec = objectSpec("maps");
    for (let seed = 1; seed <= 5; seed++) {
      const programs = new Map([...spec.programs].map(([name, program]) => [name, padded(program, seed)]));
      using app = load({ ...spec, programs }, { engine: new KernelEngine() });
      using plain = load(spec, { engine: new KernelEngine() });
      for (const [name, program] of app.programs) {
        if (program.spec.section !== "socket") continue;
        const data = new Uint8Array(64);
        expect(program.run({ data }).returned, name).toBe(plain.program(name).run({ data }).returned);
        expect(program.spec.instructions.length).toBeGreaterThan(plain.program(name).spec.instructions.length);
      }
    }
  });

  it("keeps its functions callable and described as the kernel wants it", () => {
    const spec = objectSpec("../../ebpf/test-objects/subprograms");
    for (let seed = 1; seed <= 5; seed++) {
      const programs = new Map([...spec.programs].map(([name, program]) => [name, padded(program, seed)]));
      using app = load({ ...spec, programs }, { engine: new KernelEngine(), programs: ["second"] });
      using plain = load(spec, { engine: new KernelEngine(), programs: ["second"] });
      expect(app.program("second").run().returned).toBe(plain.program("second").run().returned);
    }
  });
});

function idOf(program: unknown): number {
  return (program as { info(): { id: number } }).info().id;
}
