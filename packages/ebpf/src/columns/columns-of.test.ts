// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { InvalidValueError } from "../errors.ts";
import { TestBtf, type TestMember } from "./btf/btf.test-kit.ts";
import type { ColumnLayout } from "./column-layout.ts";
import { columnsOf } from "./columns-of.ts";

class SkepTypes {
  readonly btf = new TestBtf();
  readonly u8 = this.btf.int("unsigned char", 1);
  readonly s8 = this.btf.int("signed char", 1, { signed: true });
  readonly char = this.btf.int("char", 1, { signed: true });
  readonly u16 = this.btf.int("unsigned short", 2);
  readonly s16 = this.btf.int("short", 2, { signed: true });
  readonly u32 = this.btf.int("unsigned int", 4);
  readonly s32 = this.btf.int("int", 4, { signed: true });
  readonly u64 = this.btf.int("unsigned long long", 8);
  readonly s64 = this.btf.int("long long", 8, { signed: true });
  readonly bool = this.btf.int("_Bool", 1, { bool: true });
  readonly u64Typedef = this.btf.typedef("__u64", this.u64);
  readonly ktime = this.btf.typedef("skep_ktime", this.u64Typedef);
  readonly address16 = this.btf.struct("", [{ name: "bytes", type: this.btf.array(this.u8, 16) }]);

  columns(members: readonly TestMember[]): ColumnLayout[] {
    return columnsOf(this.btf, this.btf.struct("event", members));
  }

  refusal(members: readonly TestMember[]): string {
    try {
      this.columns(members);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidValueError);
      return (error as Error).message;
    }
    throw new Error("not refused");
  }
}

const brief = (columns: readonly ColumnLayout[]) =>
  columns.map(({ name, type, encoding, offset, size }) => `${name} ${type} ${encoding} ${offset}+${size}`);

describe("columnsOf", () => {
  it("maps every C type as skep.bpf.h says", () => {
    const t = new SkepTypes();
    const named = (name: string, type: number) => t.btf.typedef(name, type);
    const columns = t.columns([
      { name: "b8", type: t.u8 },
      { name: "c8", type: t.s8 },
      { name: "d16", type: t.s16 },
      { name: "e16", type: t.u16 },
      { name: "port", type: named("skep_port_be", t.u16) },
      { name: "f32", type: t.s32 },
      { name: "g32", type: t.btf.constant(t.u32) },
      { name: "h64", type: t.s64 },
      { name: "i64", type: t.u64 },
      { name: "yes", type: t.bool },
      { name: "x", type: t.btf.float(4) },
      { name: "y", type: t.btf.float(8) },
      { name: "state", type: t.btf.enumeration("state", 4, false, [{ name: "ON", value: 1 }]) },
      { name: "comm", type: t.btf.array(t.char, 16) },
      { name: "mac", type: t.btf.array(t.u8, 6) },
      { name: "grid", type: t.btf.array(t.btf.array(t.u16, 2), 2) },
      { name: "at", type: named("my_time", t.ktime) },
      { name: "took", type: named("skep_duration", t.u64Typedef) },
      { name: "cgroup", type: named("skep_cgroup", t.u64Typedef) },
      { name: "v4", type: named("skep_ipv4", t.u32) },
      { name: "v6", type: named("skep_ipv6", t.address16) },
      { name: "ip", type: named("skep_ip", t.address16) },
      { name: "pointer", type: t.btf.pointer(0) },
      { name: "either", type: t.btf.union("u", [{ name: "a", type: t.u32 }]) },
      { name: "kernel", type: t.btf.array(named("skep_address", t.u64Typedef), 4) },
      { name: "file", type: t.btf.array(named("skep_char", t.char), 8) },
      { name: "args", type: t.btf.array(named("skep_string_char", t.char), 64) },
    ]);
    expect(brief(columns)).toEqual([
      "b8 i16 integer 0+1",
      "c8 i16 integer 1+1",
      "d16 i16 integer 2+2",
      "e16 i32 integer 4+2",
      "port i32 port 6+2",
      "f32 i32 integer 8+4",
      "g32 u32 integer 12+4",
      "h64 i64 integer 16+8",
      "i64 u64 integer 24+8",
      "yes bool boolean 32+1",
      "x f64 float 36+4",
      "y f64 float 40+8",
      "state text enum 48+4",
      "comm text cstring 52+16",
      "mac bytes bytes 68+6",
      "grid bytes bytes 74+8",
      "at time ktime 88+8",
      "took i64 integer 96+8",
      "cgroup u64 integer 104+8",
      "v4 ip ipv4 112+4",
      "v6 ip ipv6 116+16",
      "ip ip ip 132+16",
      "pointer u64 integer 152+8",
      "either bytes bytes 160+4",
      "kernel addresses stack 168+32",
      "file text cstring 200+8",
      "args texts cstrings 208+64",
    ]);
    expect(columns[12]?.labels).toEqual(new Map([[1, "ON"]]));
    expect(columns.map((column) => column.signed ?? false).slice(0, 4)).toEqual([false, true, true, false]);
  });

  it("flattens nested structs, anonymous ones without a prefix, and leaves padding out", () => {
    const t = new SkepTypes();
    const inner = t.btf.struct("inner", [
      { name: "Id", type: t.u32 },
      { name: "_pad", type: t.u32 },
    ]);
    const anonymous = t.btf.struct("", [
      { name: "x", type: t.u16 },
      { name: "deep", type: inner },
    ]);
    const columns = t.columns([
      { name: "_first", type: t.u64 },
      { name: "outer", type: inner },
      { name: "", type: anonymous },
      { name: "flag", type: t.u8, bitSize: 3 },
      { name: "mode", type: t.u8, bitSize: 5 },
    ]);
    expect(brief(columns)).toEqual([
      "outer_id u32 integer 8+4",
      "x i32 integer 16+2",
      "deep_id u32 integer 20+4",
      "flag i16 integer 28+1",
      "mode i16 integer 28+1",
    ]);
    expect(columns.slice(3).map((column) => column.bits)).toEqual([
      { offset: 0, size: 3 },
      { offset: 3, size: 5 },
    ]);
  });

  it("names the struct and the field of what cannot be a column, and what to write instead", () => {
    const t = new SkepTypes();
    const inner = t.btf.struct("inner", [{ name: "b", type: t.u32 }]);
    expect(
      t.refusal([
        { name: "a", type: inner },
        { name: "a_b", type: t.u32 },
      ]),
    ).toBe('struct "event", field "a_b": gives the column "a_b", and so does field "a.b": rename one of them');
    expect(t.refusal([{ name: "a$", type: t.u32 }])).toContain('field "a$": "a$" is no column name');
    expect(t.refusal([{ name: "x".repeat(64), type: t.u32 }])).toContain("shorten it");
    expect(t.refusal([{ name: "rest", type: t.btf.array(t.u8, 0) }])).toContain("such as rest[256]");
    expect(t.refusal([{ name: "", type: t.btf.union("", [{ name: "a", type: t.u32 }]) }])).toContain("anonymous union");
    expect(t.refusal([{ name: "at", type: t.btf.typedef("skep_ktime", t.u32) }])).toContain(
      "skep_ktime stands for __u64 in skep.bpf.h",
    );
    expect(t.refusal([{ name: "_pad", type: t.u32 }])).toBe('struct "event": has no field to make a column of');
    expect(() => columnsOf(t.btf, t.u64Typedef)).toThrow('"__u64" is no struct');
  });

  it("ends on a struct made to have endlessly many fields", () => {
    const t = new SkepTypes();
    let type = t.btf.struct("", [{ name: "_pad", type: t.u32 }]);
    for (let level = 0; level < 40; level++) {
      type = t.btf.struct("", [
        { name: "", type, bitOffset: 0 },
        { name: "", type, bitOffset: 0 },
      ]);
    }
    expect(t.refusal([{ name: "", type }])).toContain("more than");
  });
});
