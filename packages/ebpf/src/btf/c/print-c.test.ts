// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readElf } from "../../elf/read-elf.ts";
import { MalformedError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { BtfBuilder } from "../btf-builder.ts";
import { readBtf } from "../read-btf.ts";
import { type BtfComposite, BtfKind } from "../types.ts";
import { printC, vmlinuxHeader } from "./print-c.ts";

const clang = ["clang-19", "clang"].find((name) => {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-print-c-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The BTF that clang writes for a source. */
function compile(source: string): Btf {
  const object = join(folder, "types.o");
  writeFileSync(join(folder, "types.c"), source);
  execFileSync(
    clang ?? "clang",
    [
      "-target",
      "bpf",
      "-g",
      "-O2",
      "-Werror",
      "-Wno-gnu-variable-sized-type-not-at-end",
      "-c",
      "types.c",
      "-o",
      object,
    ],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const section = readElf(new Uint8Array(readFileSync(object))).sections.find(({ name }) => name === ".BTF");
  return readBtf(section?.bytes ?? new Uint8Array());
}

/** A struct or union by name. */
function composite(btf: Btf, name: string): BtfComposite {
  const type = btf
    .idsByName(name)
    .map((id) => btf.typeById(id))
    .find((found) => "members" in found);
  if (type === undefined || !("members" in type)) throw new Error(`no struct ${name}`);
  return type;
}

const SHAPES = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
struct later;
enum color { RED = 1, GREEN = -2 };
enum tiny { TINY = 3 } __attribute__((mode(QI)));
enum wide { WIDE = 0x123456789abcULL };
struct plain { u8 a; u32 b; u8 c; };
struct squeezed { u8 a; u64 b; u16 c; } __attribute__((packed));
struct bits { u32 a : 3; u32 : 2; u32 b : 9; u32 : 0; u32 c : 30; u32 d : 5; u64 e : 40; };
struct packed_bits { u8 a; u32 b : 31; u32 c : 7; u64 d : 50; } __attribute__((packed));
struct lines { u32 a; u32 b __attribute__((aligned(64))); u8 c; } __attribute__((aligned(64)));
union grown { u8 a; u16 b[3]; } __attribute__((aligned(16)));
struct holder { u8 first; struct plain by_value; struct later *pointer; struct holder *self; union grown g; };
struct later { struct holder h; enum color colour; enum tiny t; enum wide w; };
typedef struct { int x; struct { int inner; union { u8 c; u64 d; }; }; } anonymous_t;
typedef int (*handler_t)(struct holder *, const char *, ...);
struct functions {
  handler_t plain; void (*array[4])(void); int (*(*returns)(int))(long);
  const char *const names[3]; int (*pointer_to_array)[5]; volatile u32 *registers; int matrix[2][3]; u8 tail[];
};
struct empty {};
struct sub { enum { INNER_A, INNER_B = 7 } kind; struct empty e; anonymous_t a; unsigned __int128 big; _Bool flag; };
struct everything { struct later l; struct bits b; struct packed_bits p; struct squeezed s;
  struct lines li; struct sub su; float single; double twice; struct functions f; } everything;
`;
const SHAPE_NAMES = [
  ...["plain", "squeezed", "bits", "packed_bits", "lines", "grown", "holder", "later", "functions", "sub", "empty"],
  "everything",
];

describe.runIf(clang !== undefined)("printC, compiled again by clang", () => {
  it("keeps size, members, offsets and bitfields of every shape", () => {
    const before = compile(SHAPES);
    const after = compile(`${printC(before)}\nstruct everything everything;\n`);
    for (const name of SHAPE_NAMES) {
      const { size, members } = composite(before, name);
      const again = composite(after, name);
      const shape = (list: BtfComposite["members"]) =>
        list.map(({ name: member, bitOffset, bitSize }) => ({ member, bitOffset, bitSize }));
      expect({ name, size: again.size, members: shape(again.members) }).toEqual({
        name,
        size,
        members: shape(members),
      });
    }
    for (const name of ["color", "tiny", "wide"]) {
      expect(after.typeById(after.idsByName(name)[0] ?? 0)).toMatchObject({
        ...before.typeById(before.idsByName(name)[0] ?? 0),
      });
    }
  });

  it("prints the same again from what was compiled", () => {
    const first = printC(compile(SHAPES));
    const second = printC(compile(`${first}\nstruct everything everything;\n`));
    // The order is that of the ids, which clang chooses.
    const definitions = (text: string) => text.split(";\n\n").sort();
    expect(definitions(second)).toEqual(definitions(first));
  });

  it("prints only what is asked for and needed, with declarations for what is pointed to", () => {
    const btf = compile(SHAPES);
    const text = printC(btf, { types: btf.idsByName("holder") });
    expect(text).toContain("struct holder {");
    expect(text).toContain("struct plain {");
    expect(text).toContain("struct later;");
    expect(text).not.toContain("struct functions");
    expect(() => compile(`${text}\nstruct holder holder;\n`)).not.toThrow();
  });
});

/** Types with attributes, in the order of their ids. */
function attributed(): Btf {
  const builder = new BtfBuilder();
  const int = builder.add({
    ...{ kind: BtfKind.INT, name: "int", size: 4, bits: 32, bitOffset: 0 },
    ...{ signed: true, char: false, bool: false },
  });
  const attribute = true;
  const space = builder.add({ kind: BtfKind.TYPE_TAG, name: "address_space(1)", type: int, attribute });
  const pointer = builder.add({ kind: BtfKind.PTR, name: "", type: space });
  const members = ["old", "other"].map((name, i) => ({ name, type: pointer, bitOffset: i * 64, bitSize: 0 }));
  const struct = builder.add({ kind: BtfKind.STRUCT, name: "shelf", size: 16, members });
  const tag = (name: string, component: number, type = struct): number =>
    builder.add({ kind: BtfKind.DECL_TAG, name, type, component, attribute });
  tag('deprecated("use the other")', 0);
  tag("preserve_access_index", -1);
  // What could break out of the attribute is left out, and what says how the struct is laid out is known already.
  tag("x)); int escaped; __attribute__((y", -1);
  tag("packed", -1);
  builder.add({ kind: BtfKind.DECL_TAG, name: "unused", type: struct, component: -1 });
  tag("unavailable", -1, builder.add({ kind: BtfKind.TYPEDEF, name: "shelf_t", type: struct }));
  return readBtf(builder.build());
}

describe.runIf(clang !== undefined)("printC of attributes", () => {
  it("compiles", () => {
    const program = `${printC(attributed())}struct shelf shelf;\n`;
    expect(composite(compile(program), "shelf").members.map(({ bitOffset }) => bitOffset)).toEqual([0, 64]);
  });
});

describe("printC", () => {
  it("writes the attributes of types, members and declarations, and tags no compiler reads nowhere", () => {
    expect(printC(attributed())).toBe(
      `struct shelf {
\tint __attribute__((address_space(1))) *old __attribute__((deprecated("use the other")));
\tint __attribute__((address_space(1))) *other;
} __attribute__((preserve_access_index));

typedef struct shelf shelf_t __attribute__((unavailable));

`,
    );
  });

  const info = (kind: number, count = 0): number => ((kind << 24) | count) >>> 0;

  function table(strings: string, words: readonly number[]): Btf {
    const text = new TextEncoder().encode(`\0${strings}`);
    const bytes = new Uint8Array(24 + words.length * 4 + text.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    const header = [24, 0, words.length * 4, words.length * 4, text.length];
    for (const [i, word] of [...header, ...words].entries()) view.setUint32(4 + i * 4, word, true);
    bytes.set(text, 24 + words.length * 4);
    return readBtf(bytes);
  }
  const INT = [1, info(BtfKind.INT), 4, (1 << 24) | 32];

  it("gives the second type of a name a flavour, and its enum values too", () => {
    const struct = [5, info(BtfKind.STRUCT, 1), 4, 10, 1, 0];
    const values = [0, info(BtfKind.ENUM, 1), 4, 10, 1];
    const text = printC(table("int\0pair\0a\0", [...INT, ...struct, ...struct, ...values, ...values]));
    expect(text).toBe(
      "struct pair {\n\tint a;\n};\n\nstruct pair___2 {\n\tint a;\n};\n\nenum {\n\ta = 1,\n};\n\nenum {\n\ta___2 = 1,\n};\n\n",
    );
  });

  it("makes identifiers of names that C cannot have", () => {
    const text = printC(table("int\0core::X\0while\0", [...INT, 5, info(BtfKind.STRUCT, 1), 4, 13, 1, 0]));
    expect(text).toBe("struct core__X {\n\tint _while;\n};\n\n");
  });

  it("writes down as bytes what C cannot lay out", () => {
    const words = [...INT, 5, info(BtfKind.STRUCT, 2), 4, 10, 1, 0, 10, 1, 0];
    expect(printC(table("int\0pair\0a\0", words))).toContain("unsigned char __opaque[4];");
  });

  it("refuses pointers and prototypes that lead in circles, and types nested without end", () => {
    const circle = [...INT, 5, info(BtfKind.TYPEDEF), 3, 0, info(BtfKind.PTR), 2];
    expect(() => printC(table("int\0pair\0", circle))).toThrow(MalformedError);
    const pointers = Array.from({ length: 20_000 }, (_, i) => [0, info(BtfKind.PTR), i + 1]).flat();
    const deep = [...INT, ...pointers, 5, info(BtfKind.TYPEDEF), 20_001];
    expect(() => printC(table("int\0pair\0", deep))).toThrow(MalformedError);
  });
});

const vmlinux = "/sys/kernel/btf/vmlinux";

describe.runIf(clang !== undefined && existsSync(vmlinux))("vmlinuxHeader of the running kernel", () => {
  it("compiles without a warning, to the sizes and offsets of the kernel, the same text each time", () => {
    const btf = readBtf(new Uint8Array(readFileSync(vmlinux)));
    const header = vmlinuxHeader(btf);
    expect(vmlinuxHeader(readBtf(btf.bytes)) === header).toBe(true);
    const asserts: string[] = [];
    const seen = new Set<string>();
    for (let id = 1; id < btf.typeCount; id++) {
      const type = btf.typeById(id);
      if (type.name === "" || seen.has(type.name)) continue;
      if ("members" in type || "values" in type) seen.add(type.name);
      if (!("members" in type)) continue;
      const tag = `${type.kind === BtfKind.UNION ? "union" : "struct"} ${type.name}`;
      asserts.push(`_Static_assert(sizeof(${tag}) == ${type.size}, "${tag}");`);
      for (const member of type.members) {
        if (member.bitSize > 0 || member.name === "") continue;
        asserts.push(
          `_Static_assert(__builtin_offsetof(${tag}, ${member.name}) == ${member.bitOffset / 8}, "${tag}.${member.name}");`,
        );
      }
    }
    expect(asserts.length).toBeGreaterThan(10_000);
    writeFileSync(join(folder, "vmlinux.h"), header);
    const program = `#include "vmlinux.h"
      __attribute__((section("raw_tp/sys_enter"), used))
      int read_pid(void *context) { return ((struct task_struct *)context)->pid; }\n`;
    const compiled = compile(`${program}${asserts.join("\n")}\n`);
    expect(compiled.idsByName("task_struct").length).toBeGreaterThan(0);
  }, 60_000);
});
