// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isSupported, unsupportedReason } from "./ffi.ts";
import { FileDescriptor } from "./file-descriptor.ts";
import { addressOf, LastAddress } from "./memory-address.ts";
import { systemCall } from "./system-call.ts";

describe("the foreign-function layer", () => {
  it("is there on this machine", () => {
    expect(unsupportedReason()).toBeUndefined();
    expect(isSupported()).toBe(true);
  });

  it("loads nothing at import, and says why it cannot work elsewhere", () => {
    const script = `
      Object.defineProperty(process, "platform", { value: "darwin" });
      const { isSupported, unsupportedReason } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
      console.log(isSupported(), unsupportedReason());
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe("false system calls need Linux, this is darwin\n");
  });

  it("gives small arrays an address that stays", () => {
    const small = new Uint8Array(4);
    const address = addressOf(small);
    const part = small.subarray(2);
    expect(addressOf(part)).toBe(address + 2);
    expect(addressOf(new Uint8Array(0))).toBe(0);
    const last = new LastAddress();
    expect(last.of(small)).toBe(address);
    expect(last.of(part)).toBe(address + 2);
    expect(last.of(small)).toBe(address);
  });

  it("reports a failed call by name", () => {
    expect(() => systemCall("close", "file descriptor 12345", 12345)).toThrow(
      "file descriptor 12345: close failed: EBADF (bad file descriptor)",
    );
  });

  it("never hands a closed descriptor's number to the kernel again", () => {
    const descriptor = new FileDescriptor(systemCall("eventfd2", "eventfd", 0, 0o2000000));
    const copy = descriptor.duplicate();
    expect(copy.number).not.toBe(descriptor.number);
    descriptor.close();
    descriptor.close();
    expect(descriptor.number).toBe(-1);
    expect(() => descriptor.duplicate()).toThrow("file descriptor is closed");
    copy.close();
  });
});
