// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codecFor } from "../codec-for.ts";
import { parseObject } from "../parse-object.ts";
import { columnsOf } from "./columns-of.ts";
import { RecordDecoder } from "./record-decoder.ts";

const source = `
typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
typedef signed int __s32; typedef signed char __s8;
#include "skep.bpf.h"
enum state { IDLE = -1, BUSY = 2 };
struct inner { __u16 Low; __u8 high; };
struct event {
  skep_ktime at; skep_duration took; skep_cgroup cgroup; skep_ipv4 v4; skep_ipv6 v6; skep_ip ip; skep_port_be port;
  __u8 a:3, b:5; __s32 c:7, d:20; _Bool ok; enum state state; __s8 tiny; struct inner in; struct { __u32 x; };
  union { __u32 p; __u8 q[4]; } either; void *pointer; double f; __u8 mac[6]; __u8 _pad[2];
  skep_stack(4) stack; skep_str(16) comm; skep_strings(64) args;
};
struct event one = {
  .at = 5000, .took = -7, .cgroup = 1ull << 63, .v4 = LOOPBACK,
  .ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1 } }, .port = PORT_8080,
  .a = 5, .b = 17, .c = -3, .d = -100000, .ok = 1, .state = IDLE, .tiny = -8, .in = { 0x1234, 9 }, .x = 77,
  .either = { .q = { 1, 2, 3, 4 } }, .f = 1.5, .mac = { 1, 2, 3, 4, 5, 6 }, .stack = { 1ull << 63, 2 },
  .comm = "hello", .args = "a\\0bc\\0",
};
`;

/** Compiles the source for a byte order; values in network order are written as that order's integers. */
function compile(target: "bpfel" | "bpfeb"): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "skep-columns-"));
  try {
    const file = join(directory, "out.o");
    const big = target === "bpfeb";
    const input = source
      .replace("LOOPBACK", big ? "0x7f000001" : "0x0100007f")
      .replace("PORT_8080", big ? "0x1f90" : "0x901f");
    const include = join(import.meta.dirname, "../../include");
    execFileSync("clang-19", ["-g", "-O2", "-target", target, "-I", include, "-x", "c", "-c", "-", "-o", file], {
      input,
    });
    return readFileSync(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe.each(["bpfel", "bpfeb"] as const)("a struct that clang compiled for %s", (target) => {
  const object = parseObject(compile(target));
  const { btf } = object;
  const variable = object.variables.get("one");
  const contents = object.maps.get(variable?.map ?? "")?.data?.contents;
  if (btf === undefined || variable === undefined || contents === undefined) throw new Error("the object lacks `one`");
  const bytes = contents.subarray(variable.offset, variable.offset + variable.size);
  const [id = 0] = btf.idsByName("event");

  it("decodes to the object that the program meant", () => {
    const codec = codecFor(btf, id);
    const decoded = codec.decode(bytes, 0) as Record<string, unknown>;
    expect(decoded).toMatchObject({ a: 5, b: 17, c: -3, d: -100000, ok: true, state: "IDLE", tiny: -8, x: 77, f: 1.5 });
    expect(decoded).toMatchObject({ at: 5000n, in: { Low: 0x1234, high: 9 }, comm: "hello", args: "a" });
    expect(decoded["stack"]).toEqual([1n << 63n, 2n, 0n, 0n]);
    const again = new Uint8Array(codec.size).fill(0xee);
    codec.encode({ ...decoded, either: { q: Uint8Array.of(1, 2, 3, 4) }, args: "a" }, again, 0);
    expect(codec.decode(again, 0)).toEqual(decoded);
  });

  it("becomes the columns that skep.bpf.h promises", () => {
    const layouts = columnsOf(btf, id);
    const decoder = new RecordDecoder(layouts, { recordSize: btf.sizeOf(id), byteOrder: btf.byteOrder });
    // Two records side by side, at a multiple of 8.
    const start = Math.ceil(bytes.length / 8) * 8;
    const batch = new Uint8Array(start + bytes.length);
    batch.set(bytes);
    batch.set(bytes, start);
    const offsets = Uint32Array.of(0, start);
    const lengths = Uint32Array.of(bytes.length, bytes.length);
    const { vectors, time } = decoder.decode({ count: 2, bytes: batch, offsets, lengths, lost: 0 }, 10_000n);
    expect(time).toEqual(Float64Array.of(15, 15));
    const row = Object.fromEntries(
      layouts.map(({ name, type }, column) => {
        const vector = vectors[column];
        if (vector?.kind !== "bytes") return [name, vector?.values[1]];
        const cell = vector.data.slice(vector.offsets[1], vector.offsets[2]);
        return [name, type === "text" || type === "texts" ? new TextDecoder().decode(cell) : [...cell]];
      }),
    );
    expect(row).toMatchObject({
      at: 15,
      took: -7n,
      cgroup: 1n << 63n,
      v4: [127, 0, 0, 1],
      ip: [192, 0, 2, 1],
      port: 8080,
    });
    expect(row).toMatchObject({
      v6: new Array(16).fill(0),
      a: 5,
      b: 17,
      c: -3,
      d: -100000,
      ok: 1,
      state: "IDLE",
      tiny: -8,
    });
    expect(row).toMatchObject({ in_low: 0x1234, in_high: 9, x: 77, either: [1, 2, 3, 4], pointer: 0n, f: 1.5 });
    expect(row).toMatchObject({ mac: [1, 2, 3, 4, 5, 6], comm: "hello", args: "a\0bc\0" });
    expect(row["stack"]).toEqual([...new Uint8Array(new BigUint64Array([1n << 63n, 2n]).buffer)]);
    expect(row).not.toHaveProperty("_pad");
  });

  it("has a codec for its data section", () => {
    const [section = 0] = btf.idsByName(".data");
    expect(codecFor(btf, section).decode(contents, 0)).toMatchObject({ one: { comm: "hello" } });
  });
});
