// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { AttrBuffer } from "./attr-buffer.ts";
import { ffi } from "./ffi.ts";
import { writeLinkDetail } from "./link-detail.ts";

/** The NUL-terminated string at an address. */
function textAt(address: bigint): string {
  const bytes = Buffer.from(ffi().view(Number(address), 32));
  return bytes.toString("latin1", 0, bytes.indexOf(0));
}

describe("the details of a link", () => {
  it("lie where `union bpf_attr` has them", () => {
    const attr = new AttrBuffer(64);
    writeLinkDetail(attr, { kind: "netfilter", family: 2, hook: 3, priority: -5, flags: 1 });
    expect([attr.getU32(16), attr.getU32(20), attr.getI32(24), attr.getU32(28)]).toEqual([2, 3, -5, 1]);
    writeLinkDetail(attr.clear(), { kind: "order", relative: 7, revision: 9n });
    expect([attr.getU32(16), attr.getBigint(24)]).toEqual([7, 9n]);
    writeLinkDetail(attr.clear(), { kind: "tracing", btfId: 11, cookie: 13n });
    expect([attr.getU32(16), attr.getBigint(24)]).toEqual([11, 13n]);
    const offsets = BigUint64Array.of(1n, 2n);
    const detail = { offsets, referenceCounters: undefined, cookies: undefined, flags: 1, pid: 44 };
    writeLinkDetail(attr.clear(), { kind: "uprobe_multi", path: "/bin/sh", ...detail });
    expect(textAt(attr.getBigint(16))).toBe("/bin/sh");
    expect([attr.getBigint(32), attr.getBigint(40)]).toEqual([0n, 0n]);
    expect([attr.getU32(48), attr.getU32(52), attr.getU32(56)]).toEqual([2, 1, 44]);
  });

  it("point to each of the names of a kprobe_multi link", () => {
    const attr = new AttrBuffer(64);
    const names = ["tcp_connect", "x", "tcp_close"];
    writeLinkDetail(attr, { kind: "kprobe_multi", flags: 0, symbols: names, cookies: undefined });
    const pointers = new BigUint64Array(ffi().view(Number(attr.getBigint(24)), names.length * 8));
    expect([...pointers].map(textAt)).toEqual(names);
    expect([attr.getU32(20), attr.getBigint(32)]).toEqual([3, 0n]);
  });
});
