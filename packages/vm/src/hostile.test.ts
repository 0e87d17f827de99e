// SPDX-License-Identifier: Apache-2.0

import { assemble, type BpfMap, type MapSpec, MapType, type ProgramSpec, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { InvalidProgramError } from "./code/invalid-program-error.ts";
import { VmEngine } from "./vm-engine.ts";
import type { VmEngineOptions } from "./vm-engine-options.ts";
import { VmFault, type VmFaultReason } from "./vm-fault.ts";
import type { VmProgram } from "./vm-program.ts";

const modes: readonly (VmEngineOptions & { readonly name: string })[] = [
  { name: "memory64", addressBits: 64, regions: false, fuel: 1_000_000 },
  { name: "memory32", addressBits: 32, regions: false, fuel: 1_000_000 },
  { name: "memory64 with regions", addressBits: 64, regions: true, fuel: 1_000_000 },
  { name: "memory32 with regions", addressBits: 32, regions: true, fuel: 1_000_000 },
];

const spec = (type: MapType, maxEntries: number, valueSize = 8): MapSpec => ({
  ...{ name: "m", type, keySize: 4, valueSize, maxEntries, flags: 0, extra: 0n, pinning: "none" },
  ...{ keyTypeId: 0, valueTypeId: 0 },
});

/** An XDP program in assembly, with maps by name. */
function loadXdp(engine: VmEngine, text: string, maps: Readonly<Record<string, BpfMap>> = {}): VmProgram {
  return loadTyped(engine, ProgramType.XDP, text, maps);
}

function loadTyped(
  engine: VmEngine,
  type: ProgramType,
  text: string,
  maps: Readonly<Record<string, BpfMap>> = {},
): VmProgram {
  const { instructions, mapReferences } = assemble(text);
  const program = {
    ...{ name: "hostile", section: "test", type, expectedAttachType: 0, flags: 0, attachTo: "" },
    ...{ target: undefined, instructions, mapReferences, externReferences: [], coreRelocations: [], functionInfo: [] },
    ...{ lineInfo: [], license: "GPL", kernelVersion: 0 },
  } satisfies ProgramSpec;
  return engine.loadProgram({ spec: program, instructions, maps: new Map(Object.entries(maps)), types: undefined });
}

function fault(run: () => unknown): VmFault {
  try {
    run();
  } catch (error) {
    if (error instanceof VmFault) return error;
    throw error;
  }
  throw new Error("the program was not ended");
}

const data = new Uint8Array(64).fill(7);

describe.each(modes)("hostile programs on $name", ({ name: _, ...options }) => {
  const confined = options.regions === true;

  it.for<readonly [what: string, text: string, instruction: number, reason: VmFaultReason]>([
    ["an endless loop", "again:\nja again", 0, "fuel"],
    ["a loop that never meets its end", "mov %r0, 1\nagain:\nadd %r0, 2\njne %r0, 0, again\nexit", 2, "fuel"],
    ["a read of null", "mov %r1, 0\nldxdw %r0, [%r1]\nexit", 1, "memory"],
    ["a read near null", "mov %r1, 0\nldxb %r0, [%r1+32767]\nexit", 1, "memory"],
    ["a write below null", "mov %r1, 0\nstxdw [%r1-8], %r1\nexit", 1, "memory"],
    ["a read beyond 4 GiB", "lddw %r1, 0x100010000\nldxw %r0, [%r1]\nexit", 2, "memory"],
    ["a read at 2^63", "lddw %r1, 0x8000000000010000\nldxw %r0, [%r1]\nexit", 2, "memory"],
    ["a read at the last byte", "mov %r1, -1\nldxb %r0, [%r1]\nexit", 1, "memory"],
    ["a read that wraps around", "mov %r1, -4\nldxdw %r0, [%r1+4]\nexit", 1, "memory"],
    ["a carry beyond 32 bits", "mov32 %r1, -1\nadd %r1, 1\nldxb %r0, [%r1]\nexit", 2, "memory"],
    ["a carry with the farthest offset", "mov32 %r1, -1\nadd %r1, 4096\nldxdw %r0, [%r1+32767]\nexit", 2, "memory"],
    ["a carry and an offset before it", "mov32 %r1, -1\nadd %r1, 4096\nldxb %r0, [%r1-32768]\nexit", 2, "memory"],
    ["carries in a loop", "mov32 %r1, -8192\nagain:\nadd %r1, 512\nldxb %r0, [%r1]\nja again", 2, "memory"],
    ["steps without accesses", "mov32 %r1, -1\nadd %r1, 4096\nadd %r1, 4096\nldxb %r0, [%r1]\nexit", 3, "memory"],
    ["a sum of 32-bit numbers", "mov32 %r1, -1\nmov %r2, %r1\nadd %r1, %r2\nldxb %r0, [%r1]\nexit", 3, "memory"],
    ["an atomic write of null", "mov %r1, 0\nlock add [%r1], %r1\nexit", 1, "memory"],
    ["a misaligned atomic of 8 bytes", "mov %r1, 1\nlock add [%r10-12], %r1\nmov %r0, 0\nexit", 1, "alignment"],
    ["a misaligned atomic of 4 bytes", "mov %r1, 1\nlock xchg32 [%r10-6], %r1\nmov %r0, 0\nexit", 1, "alignment"],
    ["a misaligned acquire", "ldacqdw %r0, [%r10-12]\nexit", 0, "alignment"],
    ["a call of a number", "mov %r3, 77\ncall %r3\nexit", 1, "call"],
    ["a call of null", "mov %r3, 0\ncall %r3\nexit", 1, "call"],
    [
      "recursion through a register",
      "lddw %r2, self\ncall local self\nexit\nself:\nlddw %r2, self\ncall %r2\nexit",
      6,
      "depth",
    ],
  ])("ends %s", ([_, text, instruction, reason]) => {
    using engine = new VmEngine(options);
    const program = loadXdp(engine, text);
    const found = fault(() => program.run({ data }));
    const expected = { instruction, reason: confined && reason === "memory" ? found.reason : reason };
    expect({ instruction: found.instruction, reason: found.reason }).toEqual(expected);
    expect(found.message).toContain(`program "hostile", instruction ${instruction}`);
    // The engine is as it was.
    expect(loadXdp(engine, "mov %r0, 2\nexit").run({ data }).returned).toBe(2);
  });

  it("calls a helper by the number in a register", () => {
    using engine = new VmEngine(options);
    const text = "mov %r2, 5\ncall %r2\nmov %r6, %r0\nmov %r0, 1\njne %r6, 0, done\nmov %r0, 0\ndone:\nexit";
    expect(loadXdp(engine, text).run({ data }).returned).toBe(1);
  });

  it("divides by 0 as the standard says", () => {
    using engine = new VmEngine(options);
    const text = "mov %r0, 7\nmov %r1, 0\nmod %r0, %r1\nmov %r2, 5\ndiv %r2, %r1\nadd %r0, %r2\nexit";
    expect(loadXdp(engine, text).run({ data }).returned).toBe(7);
  });

  it("tells a full map by -E2BIG and goes on", () => {
    using engine = new VmEngine(options);
    const map = engine.createMap(spec(MapType.HASH, 4), undefined, undefined);
    const text = `
      mov %r6, 0
      mov %r7, 0
    again:
      stxw [%r10-4], %r6
      stxdw [%r10-16], %r6
      lddw %r1, map[m]
      mov %r2, %r10
      add %r2, -4
      mov %r3, %r10
      add %r3, -16
      mov %r4, 0
      call 2
      jne %r0, -7, next
      add %r7, 1
    next:
      add %r6, 1
      jne %r6, 10, again
      mov %r0, %r7
      exit`;
    expect(loadXdp(engine, text, { m: map }).run({ data }).returned).toBe(6);
    expect([...map.keys()]).toHaveLength(4);
  });

  it("hands on what a helper of the host throws", () => {
    const cause = new Error("the host's own");
    const call = (): number => {
      throw cause;
    };
    using engine = new VmEngine({
      ...options,
      helpers: [{ id: 0x1000, name: "fails", parameters: [], result: "i32", call }],
    });
    const found = fault(() => loadXdp(engine, "mov %r6, 1\ncall 4096\nexit").run({ data }));
    expect([found.reason, found.instruction, found.cause]).toEqual(["helper", 1, cause]);
  });

  it("keeps its memory through 25,000 runs that are ended", () => {
    using engine = new VmEngine(options);
    const programs = [
      "mov %r1, 0\nldxdw %r0, [%r1]\nexit",
      "call local deep\nexit\ndeep:\nmov %r1, -1\nstxb [%r1], %r1\nexit",
      "mov %r3, 77\ncall %r3\nexit",
    ].map((text) => loadXdp(engine, text));
    const good = loadXdp(engine, "mov %r0, 1\nexit");
    good.run({ data });
    const used = engine.memory.used;
    for (let i = 0; i < 25_000; i++) fault(() => (programs[i % programs.length] as VmProgram).call(0));
    expect(engine.memory.used).toBe(used);
    expect(good.run({ data }).returned).toBe(1);
  }, 60_000);
});

describe("regions", () => {
  /** One byte at an address that the program computes from a pointer of its own. */
  const at = (base: string, offset: number, write: boolean): string => `
    mov %r9, ${base}
    mov %r8, ${offset}
    add %r9, %r8
    ${write ? "stxb [%r9], %r8" : "ldxb %r0, [%r9]"}
    mov %r0, 0
    exit`;

  it.for<readonly [what: string, before: string, base: string, first: number, end: number, writable: boolean]>([
    ["the stack", "", "%r10", -512, 0, true],
    ["the context", "stxdw [%r10-8], %r1\nldxdw %r2, [%r10-8]", "%r2", 0, 24, false],
    ["the packet", "ldxw %r2, [%r1]", "%r2", 0, 64, true],
    ["a value of a hash", "", "%r0", 0, 24, true],
    ["a value of an array", "", "%r0", 0, 24, true],
  ])("confine a program to %s, to the byte", ([what, before, base, first, end, writable]) => {
    for (const addressBits of [32, 64] as const) {
      using engine = new VmEngine({ addressBits });
      const type = what.endsWith("array") ? MapType.ARRAY : MapType.HASH;
      const map = engine.createMap(spec(type, 1, 24), undefined, undefined);
      map.updateRaw(new Uint8Array(4), new Uint8Array(24));
      const lookup = "stw [%r10-4], 0\nlddw %r1, map[m]\nmov %r2, %r10\nadd %r2, -4\ncall 1\n";
      const prepare = base === "%r0" ? lookup : before;
      const run = (offset: number, write: boolean): VmProgram =>
        loadXdp(engine, `${prepare}\n${at(base, offset, write)}`, { m: map });
      const ok = (offset: number, write: boolean): void => {
        expect(run(offset, write).run({ data }).returned).toBe(0);
      };
      ok(first, false);
      ok(end - 1, false);
      expect(fault(() => run(first - 1, false).run({ data })).reason).toBe("region");
      expect(fault(() => run(end, false).run({ data })).reason).toBe("region");
      if (writable) {
        ok(first, true);
        ok(end - 1, true);
        expect(fault(() => run(end, true).run({ data })).reason).toBe("region");
      } else if (what === "the context") {
        const found = fault(() => run(first, true).run({ data }));
        expect(found.message).toContain("which the program may only read");
      }
    }
  });

  it("keep a program from loads by a context of its own making", () => {
    for (const addressBits of [32, 64] as const) {
      using engine = new VmEngine({ addressBits });
      // A packet from 64 KiB on, in a context on the stack.
      const text = `
        stw [%r10-512], 0x10000
        stw [%r10-436], 0x10000
        stw [%r10-432], 0x7fffffff
        stw [%r10-256], 0
        mov %r6, %r10
        add %r6, -512
        ldabsb 70
        mov %r0, 1
        exit`;
      expect(loadTyped(engine, ProgramType.SOCKET_FILTER, text).run({ data }).returned).toBe(0);
      const own = "mov %r6, %r1\nldabsh 12\nexit";
      const frame = Uint8Array.from(data, (_, i) => i);
      expect(loadTyped(engine, ProgramType.SOCKET_FILTER, own).run({ data: frame }).returned).toBe(0x1a1b);
    }
  });

  it("keep programs from what helpers would do for them", () => {
    using engine = new VmEngine();
    const map = engine.createMap(spec(MapType.HASH, 1, 8), undefined, undefined);
    const update = (key: string): string =>
      `lddw %r1, map[m]\nmov %r2, ${key}\nmov %r3, %r10\nadd %r3, -8\nmov %r4, 0\ncall 2\nmov %r0, 0\nexit`;
    for (const key of ["0", "%r1", "0x10000", "-1"]) {
      const found = fault(() => loadXdp(engine, update(key), { m: map }).run({ data }));
      expect([found.reason, found.instruction]).toEqual(["region", 6]);
    }
  });
});

describe("programs at the limits of length", () => {
  it("are refused without instructions and with more than a million", () => {
    using engine = new VmEngine();
    expect(() => engine.loadInstructions(new Uint8Array(0))).toThrow(InvalidProgramError);
    const long = new Uint8Array(8 * 1_000_001);
    expect(() => engine.loadInstructions(long)).toThrow("1000000 are the most");
  });

  const million = (instruction: readonly number[]): Uint8Array => {
    const long = new Uint8Array(8 * 1_000_000);
    for (let i = 0; i < 999_999; i++) long.set(instruction, 8 * i);
    long[8 * 999_999] = 0x95;
    return long;
  };

  it("run with a million", () => {
    using engine = new VmEngine();
    const program = engine.loadInstructions(million([0x07, 0, 0, 0, 1, 0, 0, 0]));
    program.call();
    expect(program.result).toBe(999_999n);
  });

  it("are refused when WebAssembly does not take their translation", () => {
    using engine = new VmEngine();
    const load = (): unknown => engine.loadInstructions(million([0x3f, 0x10, 1, 0, 0, 0, 0, 0]), "divides");
    expect(load).toThrow('program "divides", instruction 0: its translation is too large for WebAssembly');
  });
});
