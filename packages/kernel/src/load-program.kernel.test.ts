// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { AttachType, type LoadableProgram, type ProgramSpec, ProgramType, VerifierError } from "@skep/ebpf";
import { asUser } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";

const exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
const returnZero = [0xb7, 0, 0, 0, 0, 0, 0, 0, ...exit];

function loadable(instructions: readonly number[], overrides: Partial<ProgramSpec> = {}): LoadableProgram {
  const bytes = Uint8Array.from(instructions);
  const spec: ProgramSpec = {
    name: "test",
    section: "socket",
    type: ProgramType.SOCKET_FILTER,
    expectedAttachType: 0,
    flags: 0,
    attachTo: "",
    target: undefined,
    instructions: bytes,
    mapReferences: [],
    externReferences: [],
    coreRelocations: [],
    functionInfo: [],
    lineInfo: [],
    license: "GPL",
    kernelVersion: 0,
    ...overrides,
  };
  return { spec, instructions: bytes, maps: new Map(), types: undefined };
}

describe("loading a program", () => {
  it("gives one that runs", () => {
    using program = new KernelEngine().loadProgram(loadable(returnZero));
    expect(program.run({ data: new Uint8Array(64) }).returned).toBe(0);
    program.close();
    expect(() => program.run()).toThrow('program "test" is closed');
  });

  it("passes on the verifier's reason in one line, and its whole log", () => {
    const refuse = (): unknown => new KernelEngine().loadProgram(loadable(exit));
    expect(refuse).toThrow(VerifierError);
    try {
      refuse();
    } catch (error) {
      const { message, log, program } = error as VerifierError;
      expect(program).toBe("test");
      expect(message).toMatch(/^program "test" was refused: .*R0.*$/);
      expect(message).not.toContain("\n");
      expect(log).toContain("processed 1 insns");
    }
  });

  it("fetches a log that is longer than the first buffer", () => {
    // A line for each of 20000 instructions, and no value in r0 at the end.
    const instructions = Array<number[]>(20_000).fill([0xb7, 1, 0, 0, 1, 0, 0, 0]).flat();
    try {
      new KernelEngine().loadProgram(loadable([...instructions, ...exit]));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(VerifierError);
      const { log } = error as VerifierError;
      expect(log.length).toBeGreaterThan(1 << 17);
      expect(log).toContain("R0 !read_ok");
    }
  });

  it("knows which tracepoint is missing", () => {
    const overrides = { type: ProgramType.TRACING, expectedAttachType: AttachType.TRACE_RAW_TP, attachTo: "no_such" };
    expect(() => new KernelEngine().loadProgram(loadable(returnZero, overrides))).toThrow(
      'program "test": the kernel has no tracepoint "no_such"',
    );
    expect(() => new KernelEngine().loadProgram(loadable(returnZero, { ...overrides, attachTo: "" }))).toThrow(
      'program "test": section "socket" names no tracepoint; set attachTo',
    );
  });

  it("refuses map references that cannot be right", () => {
    const engine = new KernelEngine();
    const reference = { instruction: 0, map: "flows", valueOffset: undefined };
    expect(() => engine.loadProgram(loadable(returnZero, { mapReferences: [reference] }))).toThrow(
      'program "test": instruction 0 refers to map "flows" but is no ld_imm64',
    );
    const load = [0x18, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(() => engine.loadProgram(loadable([...load, ...returnZero], { mapReferences: [reference] }))).toThrow(
      'program "test" refers to map "flows", which was not given',
    );
  });

  it("shows source lines in the log when the object has them", () => {
    const spec = objectSpec("maps");
    const program = spec.programs.get("count_here")!;
    const engine = new KernelEngine();
    using types = engine.loadTypes(spec.btf!);
    const maps = new Map(
      ["percpu_array", ".rodata"].map((name) => [name, engine.createMap(spec.maps.get(name)!, types, spec.btf)]),
    );
    try {
      // Broken on purpose: r0 = r5 at the end, which the call before has left undefined.
      const instructions = new Uint8Array(program.instructions);
      instructions.set([0xbf, 0x50, 0, 0, 0, 0, 0, 0], instructions.length - 16);
      expect(() => engine.loadProgram({ spec: program, instructions, maps, types })).toThrow(VerifierError);
      try {
        engine.loadProgram({ spec: program, instructions, maps, types });
      } catch (error) {
        expect((error as VerifierError).log).toContain("bpf_map_lookup_elem(&percpu_array, &index)");
      }
    } finally {
      for (const map of maps.values()) map.close();
    }
  });

  it("says which capability is missing", () => {
    const script = `
      import { loadObject } from ${JSON.stringify(new URL("../test-objects/load-object.ts", import.meta.url).href)};
      try { loadObject("maps"); } catch (error) { console.log(error.code, error.message); }
    `;
    const child = spawnSync(
      "setpriv",
      [
        "--bounding-set=-all",
        "--inh-caps=-all",
        process.execPath,
        "--conditions=skep-source",
        "--input-type=module",
        "-e",
        script,
      ],
      { encoding: "utf8", cwd: import.meta.dirname },
    );
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe(
      "ERR_SYSTEM_CALL bpf(BPF_BTF_LOAD) failed: EPERM (operation not permitted); this process has neither CAP_BPF nor CAP_SYS_ADMIN\n",
    );
  });

  it("says which capability is missing for the program's type", () => {
    const load = (type: string): string => `
      import { assemble, ProgramType } from "@skep/ebpf";
      import { loadVerified } from ${JSON.stringify(new URL("./verifier-load.ts", import.meta.url).href)};
      const { instructions } = assemble("mov %r0, 0\\nexit");
      const type = ProgramType.${type};
      const options = { type, instructions, license: "GPL" };
      const spec = { name: "p", type, coreRelocations: [] };
      try { loadVerified(options, { spec, instructions }); } catch (error) { console.log(error.message); }
    `;
    const said = (type: string): string => {
      const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", load(type)];
      const [command = "", ...args] = asUser(["bpf"], node);
      return spawnSync(command, args, { encoding: "utf8", cwd: import.meta.dirname }).stdout.trimEnd();
    };
    const refused = 'program "p": bpf(BPF_PROG_LOAD) failed: EPERM (operation not permitted); this process has neither';
    expect(said("XDP")).toBe(`${refused} CAP_NET_ADMIN nor CAP_SYS_ADMIN`);
    expect(said("KPROBE")).toBe(`${refused} CAP_PERFMON nor CAP_SYS_ADMIN`);
  });

  it("works with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN alone", () => {
    const script = `
      import { loadObject } from ${JSON.stringify(new URL("../test-objects/load-object.ts", import.meta.url).href)};
      const programs = ["on_tp_btf", "on_raw_tracepoint"];
      const object = loadObject("links", { programs });
      const links = programs.map((name) => object.collection.program(name).attach());
      const reader = object.kernelMap("executions").records();
      console.log(links.length, reader.poll());
      reader.close();
      object[Symbol.dispose]();
    `;
    const keep = "+bpf,+perfmon,+net_admin";
    const child = spawnSync(
      "setpriv",
      [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        `--inh-caps=-all,${keep}`,
        `--ambient-caps=-all,${keep}`,
        process.execPath,
        "--conditions=skep-source",
        "--input-type=module",
        "-e",
        script,
      ],
      { encoding: "utf8", cwd: import.meta.dirname },
    );
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe("2 undefined\n");
  });

  it("keeps no types beyond the load", () => {
    using object = loadObject("maps");
    expect(object.run("count_here")).toBe(7);
  });
});
