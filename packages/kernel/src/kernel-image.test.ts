// SPDX-License-Identifier: Apache-2.0

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { readBtf } from "@skep/ebpf";
import { TempFolder } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { kernelImageTypes } from "./kernel-image.ts";

const object = fileURLToPath(new URL("../test-objects/maps.bpf.o", import.meta.url));

describe("the types in a kernel's image", () => {
  it("are found where distributions put it, past what has none", () => {
    using folder = new TempFolder();
    const root = folder.path;
    const put = (path: string, source: string): void => {
      mkdirSync(dirname(root + path), { recursive: true });
      if (source === "") writeFileSync(root + path, "a compressed image");
      else copyFileSync(source, root + path);
    };
    expect(kernelImageTypes(root, "9.9.9-test")).toBeUndefined();
    put("/boot/vmlinux-9.9.9-test", "");
    put("/boot/vmlinux-9.9.8-test", object);
    put("/lib/modules/9.9.9-test/build/vmlinux", process.execPath);
    expect(kernelImageTypes(root, "9.9.9-test")).toBeUndefined();
    put("/usr/lib/debug/lib/modules/9.9.9-test/vmlinux", object);
    const found = kernelImageTypes(root, "9.9.9-test") ?? new Uint8Array();
    expect(readFileSync(object).includes(Buffer.from(found))).toBe(true);
    expect(readBtf(found).idsByName("value")).toHaveLength(1);
  });
});
