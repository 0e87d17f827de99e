// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseObject, readBtf } from "@skep/ebpf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readObjectBytes } from "../read-object-file.ts";
import { bpfVmlinuxH } from "./bpf-vmlinux-h.ts";

const object = fileURLToPath(new URL("../../../ebpf/test-objects/core.bpf.o", import.meta.url));

describe("skep bpf vmlinux-h", () => {
  let folder = "";
  let printed = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-vmlinux-"));
    printed = "";
    const write = (text: string | Uint8Array, done?: unknown): boolean => {
      printed += text;
      if (typeof done === "function") done();
      return true;
    };
    vi.spyOn(process.stdout, "write").mockImplementation(write);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  it("prints the types of an object, and the same of the BTF alone", async () => {
    await bpfVmlinuxH(object);
    const header = printed;
    expect(header).toMatch(/^#ifndef __VMLINUX_H__\n[\s\S]*struct widget {[\s\S]*#endif\n$/);
    const raw = join(folder, "types.btf");
    writeFileSync(raw, parseObject(readObjectBytes(object)).btf?.bytes ?? new Uint8Array());
    printed = "";
    await bpfVmlinuxH(raw);
    expect(printed).toBe(header);
    expect(() => readBtf(new Uint8Array(8))).toThrow("this is not BTF");
  });
});
