// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { addressIn } from "./kernel-symbols.ts";

const text = [
  "0000000000000000 A __per_cpu_start",
  "ffffffff81000000 T _stext",
  "ffffffff81000040 t work",
  "ffffffff81000040 T work",
  "ffffffff81000080 t init",
  "ffffffff81000100 T __init_begin",
  "ffffffffc0001000 t own\t[veth]",
  "ffffffffc0001040 t init\t[veth]",
].join("\n");

describe("addressIn", () => {
  it("finds symbols of the kernel and of modules, by their whole names", () => {
    expect(addressIn(text, "_stext")).toEqual({ address: 0xffffffff81000000n, module: false });
    expect(addressIn(text, "work")).toEqual({ address: 0xffffffff81000040n, module: false });
    expect(addressIn(text, "own")).toEqual({ address: 0xffffffffc0001000n, module: true });
    expect(addressIn(text, "__per_cpu_start")?.address).toBe(0n);
    expect(addressIn(text, "__init")).toBeUndefined();
    expect(addressIn(text, "T")).toBeUndefined();
  });

  it("refuses a name that several have", () => {
    expect(() => addressIn(text, "init")).toThrow(
      'extern "init": /proc/kallsyms has it at 0xffffffff81000080 and 0xffff',
    );
  });

  it("says when addresses are hidden", () => {
    const zeros = text.replace(/^[0-9a-f]+/gm, "0000000000000000");
    expect(() => addressIn(zeros, "work")).toThrow("shows no addresses to this process; set kernel.kptr_restrict to 0");
  });
});
