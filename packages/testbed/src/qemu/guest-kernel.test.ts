// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TempFolder } from "../temp-folder.ts";
import { moduleFiles } from "./guest-kernel.ts";

describe("moduleFiles", () => {
  it("gives each module once, after those that it needs, and nothing for those that are built in", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("modules.builtin"), "kernel/fs/fuse/virtiofs.ko\n");
    const dependencies = ["a/low.ko.xz:", "a/pci.ko.xz: a/ring.ko.xz a/low.ko.xz", "a/ring.ko.xz: a/low.ko.xz", ""];
    writeFileSync(folder.join("modules.dep"), dependencies.join("\n"));
    const kernel = { release: "6.12.1-test", folder: "", image: "", modules: folder.path };
    const files = ["a/low.ko.xz", "a/ring.ko.xz", "a/pci.ko.xz"].map((file) => folder.join(file));
    expect(moduleFiles(kernel, ["virtiofs", "pci", "ring"])).toEqual(files);
    expect(() => moduleFiles(kernel, ["overlay"])).toThrow("Linux 6.12.1-test has no module overlay");
  });
});
