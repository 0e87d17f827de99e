// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Engine } from "./engine.ts";
import { InvalidValueError, SkepError } from "./errors.ts";
import { withVariables } from "./initial-data.ts";
import { type KernelConfig, withKernelConfig } from "./kernel-config.ts";
import { parseObject } from "./parse-object.ts";

const spec = parseObject(new Uint8Array(readFileSync(new URL("../test-objects/extern.bpf.o", import.meta.url))));

const values: Readonly<Record<string, string>> = {
  CONFIG_BPF: "y",
  CONFIG_BPF_SYSCALL: "m",
  CONFIG_NET: "y",
  CONFIG_HZ: "250",
  CONFIG_CC_VERSION_TEXT: '"gcc 12"',
};

function config(changed: Readonly<Record<string, string | undefined>> = {}): KernelConfig {
  return {
    source: "/proc/config.gz",
    version: 0x061203,
    bpfCookie: true,
    syscallWrapper: false,
    value: (name) => (Object.hasOwn(changed, name) ? changed[name] : values[name]),
  };
}

/** The contents of `.kconfig` with what an engine says and what is given. */
function filled(kernel: KernelConfig | undefined, variables: Readonly<Record<string, unknown>> = {}): DataView {
  const engine = { name: "test", kernelConfig: () => kernel } as unknown as Engine;
  const maps = withKernelConfig(spec, withVariables(spec, variables), { engine, variables });
  const contents = maps.get(".kconfig")?.data?.contents ?? new Uint8Array();
  return new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
}

const at = (name: string): number => spec.variables.get(name)?.offset ?? Number.NaN;

describe("withKernelConfig", () => {
  it("fills in what the kernel says, and leaves the object as it is", () => {
    const contents = filled(config());
    expect(contents.getUint32(at("LINUX_KERNEL_VERSION"), true)).toBe(0x061203);
    expect(contents.getUint8(at("LINUX_HAS_BPF_COOKIE"))).toBe(1);
    expect(contents.getUint8(at("LINUX_HAS_SYSCALL_WRAPPER"))).toBe(0);
    expect(contents.getUint8(at("CONFIG_BPF"))).toBe(1);
    expect(contents.getUint32(at("CONFIG_BPF_SYSCALL"), true)).toBe(2);
    expect(contents.getUint8(at("CONFIG_NET"))).toBe("y".charCodeAt(0));
    expect(contents.getBigUint64(at("CONFIG_HZ"), true)).toBe(250n);
    expect(contents.getUint16(at("CONFIG_SKEP_HAS_NO_SUCH"), true)).toBe(0);
    expect(spec.maps.get(".kconfig")?.data?.contents.every((byte) => byte === 0)).toBe(true);
  });

  it("lets what is given win, whether or not the kernel knows it", () => {
    const without = config({ CONFIG_HZ: undefined, CONFIG_NET: '"no char"' });
    const contents = filled(without, { CONFIG_HZ: 1000n, CONFIG_NET: 110, CONFIG_SKEP_HAS_NO_SUCH: 9 });
    expect(contents.getBigUint64(at("CONFIG_HZ"), true)).toBe(1000n);
    expect(contents.getUint8(at("CONFIG_NET"))).toBe(110);
    expect(contents.getUint16(at("CONFIG_SKEP_HAS_NO_SUCH"), true)).toBe(9);
    expect(contents.getUint8(at("CONFIG_BPF"))).toBe(1);
  });

  it("names a strong variable that is not set, and where it looked", () => {
    const attempt = (): DataView => filled(config({ CONFIG_HZ: undefined }));
    expect(attempt).toThrow(SkepError);
    expect(attempt).toThrow(expect.objectContaining({ code: "ERR_NOT_FOUND" }));
    expect(attempt).toThrow(
      'the object needs "CONFIG_HZ" (__kconfig): /proc/config.gz does not set it; declare it __weak',
    );
    expect(() => filled(undefined)).toThrow('engine "test" knows no kernel configuration');
  });

  it("refuses a value that the declared type cannot hold", () => {
    const attempt = (): DataView => filled(config({ CONFIG_BPF: "m" }));
    expect(attempt).toThrow(InvalidValueError);
    expect(attempt).toThrow('extern "CONFIG_BPF": its value m does not fit in a bool');
  });

  it("asks for nothing when the map is not loaded, or is the caller's", () => {
    const engine = { name: "test" } as unknown as Engine;
    const none = new Map([...spec.maps].filter(([name]) => name !== ".kconfig"));
    expect(withKernelConfig(spec, none, { engine })).toBe(none);
    const maps = new Map([[".kconfig", {} as never]]);
    expect(withKernelConfig(spec, spec.maps, { engine, maps })).toBe(spec.maps);
  });
});
