// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { kernelVersion } from "@skep/linux";
import { afterAll, describe, expect, it } from "vitest";
import { readConfigFile } from "./kernel-config.ts";
import { linuxVersionCode } from "./version-code.ts";

const folder = mkdtempSync(join(tmpdir(), "skep-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const text = `#
# Linux/x86 6.12 Kernel Configuration
#
CONFIG_BPF=y
CONFIG_VETH=m
# CONFIG_NETKIT is not set
CONFIG_CC_VERSION_TEXT="gcc (Debian) \\"12\\""
CONFIG_HZ=250
`;

describe("readConfigFile", () => {
  it.each([
    ["config.gz", gzipSync(text)],
    ["config", Buffer.from(text)],
  ])("reads %s, in the words of the file", (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const { source, values } = readConfigFile([join(folder, "none"), path, join(folder, "never")]);
    expect(source).toBe(path);
    expect([...values]).toEqual([
      ["CONFIG_BPF", "y"],
      ["CONFIG_VETH", "m"],
      ["CONFIG_CC_VERSION_TEXT", '"gcc (Debian) \\"12\\""'],
      ["CONFIG_HZ", "250"],
    ]);
  });

  it("names what it looked for when there is nothing", () => {
    const { source, values } = readConfigFile(["/nowhere/a.gz", "/nowhere/b"]);
    expect(source).toBe("the kernel's configuration (neither /nowhere/a.gz nor /nowhere/b can be read)");
    expect(values.size).toBe(0);
  });
});

describe("linuxVersionCode", () => {
  it("is the running kernel's", () => {
    const [major, minor] = kernelVersion();
    expect(linuxVersionCode() >>> 8).toBe((major << 8) | minor);
  });
});
