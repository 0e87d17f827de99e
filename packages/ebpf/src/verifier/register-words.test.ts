// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { registerWords } from "./register-words.ts";

describe("the state of a register in words", () => {
  it.each([
    // Linux 6.x
    ["5", "number 5"],
    ["-1", "number -1"],
    ["P0", "number 0"],
    ["0xffffffffffffffff", "number 18446744073709551615"],
    ["scalar()", "any number"],
    ["scalar(smin=0,smax=umax=255,var_off=(0x0; 0xff))", "number 0..255"],
    ["scalar(smin=-4,smax=8)", "number -4..8"],
    ["scalar(umin=16)", "number of at least 16"],
    ["scalar(umax=0xffff)", "number 0..65535"],
    ["scalar(smin=0,smax=umax=0xffffffff,smax32=16)", "number 0..4294967295, as 32 bits with sign at most 16"],
    ["scalar(smin=0xffffffff80000000,smax=0x7fffffff)", "number -2147483648..2147483647"],
    ["scalar(id=2,smax32=0xffffffffffff0000)", "any number, as 32 bits with sign at most -65536"],
    ["ctx()", "pointer to the program's context"],
    ["fp0", "the top of the stack"],
    ["fp-16", "pointer to the stack, 16 bytes below its top"],
    ["map_ptr(map=flows,ks=4,vs=40)", 'map "flows"'],
    ["map_value(map=flows,ks=4,vs=40)", 'pointer to a value of map "flows" (40 bytes)'],
    ["map_value_or_null(id=1,map=flows,ks=4,vs=40)", 'pointer to a value of map "flows" (40 bytes), or null'],
    [
      "map_value(map=flows,ks=4,vs=40,off=8,smin=0,smax=umax=0xff)",
      'pointer to a value of map "flows" (40 bytes), 8..263 bytes in',
    ],
    ["pkt(off=14,r=34)", "pointer to the packet, 14 bytes in, 34 bytes of it checked"],
    [
      "map_value(map=flows,ks=4,vs=40,off=4,smin=smin32=-4,smax=smax32=10)",
      'pointer to a value of map "flows" (40 bytes), 0..14 bytes in',
    ],
    [
      "pkt(id=1,off=-8,r=0,smin=0xffffffffffff0000)",
      "pointer to the packet, at least -65544 bytes in, 0 bytes of it checked",
    ],
    ["pkt_end()", "pointer to the end of the packet"],
    ["ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=8)", "pointer to a record of a ring buffer (8 bytes), or null"],
    ["trusted_ptr_task_struct()", "pointer to struct task_struct (trusted)"],
    ["rcu_ptr_or_null_sock2(id=1)", "pointer to struct sock2 (protected by RCU), or null"],
    ["sock_or_null(id=1)", "pointer to a socket, or null"],
    // Linux 5.x
    ["inv5", "number 5"],
    ["invP0", "number 0"],
    ["inv(id=0)", "any number"],
    ["inv(id=0,umax_value=255,var_off=(0x0; 0xff))", "number 0..255"],
    [
      "inv(id=0,smin_value=-2147483648,smax_value=2147483647,s32_max_value=7)",
      "number -2147483648..2147483647, as 32 bits with sign at most 7",
    ],
    ["map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0)", "pointer to a value of a map (8 bytes), or null"],
    ["ptr_or_null_file(id=3,off=0,imm=0)", "pointer to struct file, or null"],
    ["fp0,call_-1", "the top of the stack"],
    // Not known: as it is.
    ["whatever(off=1)", "whatever(off=1)"],
    ["constructor()", "constructor()"],
    ["", ""],
    ["((", "(("],
  ])("%s", (state, words) => {
    expect(registerWords(state)).toBe(words);
  });

  it("takes anything", () => {
    const parts = fc.constantFrom(
      "scalar",
      "fp",
      "map_value",
      "(",
      ")",
      "umax=",
      "smin=",
      "0x",
      "-",
      "5",
      ",",
      "ptr_",
      "inv",
    );
    fc.assert(fc.property(fc.array(parts), (text) => typeof registerWords(text.join("")) === "string"));
  });
});
