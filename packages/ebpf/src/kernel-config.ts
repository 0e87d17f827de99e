// SPDX-License-Identifier: Apache-2.0

import type { BpfMap } from "./bpf-map.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { encodeSetting } from "./encode-setting.ts";
import type { Engine } from "./engine.ts";
import { InvalidValueError, NotFoundError, SkepError } from "./errors.ts";
import type { MapSpec } from "./map-spec.ts";
import type { VariableSpec } from "./variable-spec.ts";

/** What an engine tells of its kernel to objects that ask for it (`__kconfig`). */
export interface KernelConfig {
  /** Where `value` looks: the path of a file, or words when there is none. */
  readonly source: string;
  /** `LINUX_KERNEL_VERSION`, as KERNEL_VERSION(a, b, c) makes it of three numbers. */
  readonly version: number;
  /** `LINUX_HAS_BPF_COOKIE`: whether programs may ask for the cookie of their link (5.15). */
  readonly bpfCookie: boolean;
  /** `LINUX_HAS_SYSCALL_WRAPPER`: whether system calls take their arguments in a `struct pt_regs` (4.17). */
  readonly syscallWrapper: boolean;
  /**
   * What the configuration sets `CONFIG_…` to, in its own words: `y`, `m`, `"text"`, `100`, `0x10`. Undefined when it
   * does not.
   */
  value(name: string): string | undefined;
}

/** The part of the options of `load` that decides what is asked of the kernel. */
interface ConfigOptions {
  readonly engine: Engine;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly maps?: ReadonlyMap<string, BpfMap>;
}

/**
 * The maps with `.kconfig` filled in: the variables that are given are there already, the rest is what the engine's kernel
 * says. A weak variable that the kernel knows nothing of stays 0.
 *
 * Throws SkepError `ERR_NOT_FOUND` for a strong variable that is not set, with its name and where it was looked for;
 * InvalidValueError for a value that the declared type cannot hold.
 */
export function withKernelConfig(
  spec: CollectionSpec,
  maps: ReadonlyMap<string, MapSpec>,
  { engine, variables: given = {}, maps: ready }: ConfigOptions,
): ReadonlyMap<string, MapSpec> {
  const asked = [...spec.variables.values()].filter(
    ({ name, map, extern }) => extern !== undefined && maps.has(map) && !ready?.has(map) && !Object.hasOwn(given, name),
  );
  if (asked.length === 0 || spec.btf === undefined) return maps;
  const config = engine.kernelConfig?.();
  const filled = new Map(maps);
  for (const variable of asked) {
    const value = config === undefined ? undefined : settingOf(variable, config);
    if (value === undefined) {
      if (variable.extern === "weak") continue;
      throw missing(variable, config, engine.name);
    }
    const problem = encodeSetting(spec.btf, variable, value, writableContents(maps, filled, variable.map));
    if (problem !== undefined) throw new InvalidValueError(`extern "${variable.name}": ${problem}`);
  }
  return filled;
}

/** The bytes of a map in `filled`: a copy, made when they are first written to. */
function writableContents(maps: ReadonlyMap<string, MapSpec>, filled: Map<string, MapSpec>, name: string): Uint8Array {
  const map = filled.get(name);
  if (map?.data === undefined) throw new NotFoundError("data section", name, maps.keys());
  if (map !== maps.get(name)) return map.data.contents;
  const { section, readOnly } = map.data;
  const contents = map.data.contents.slice();
  filled.set(name, { ...map, data: { section, readOnly, contents } });
  return contents;
}

function settingOf({ name }: VariableSpec, config: KernelConfig): string | undefined {
  switch (name) {
    case "LINUX_KERNEL_VERSION":
      return String(config.version);
    case "LINUX_HAS_BPF_COOKIE":
      return config.bpfCookie ? "1" : "0";
    case "LINUX_HAS_SYSCALL_WRAPPER":
      return config.syscallWrapper ? "1" : "0";
    default:
      return name.startsWith("CONFIG_") ? config.value(name) : undefined;
  }
}

function missing({ name }: VariableSpec, config: KernelConfig | undefined, engine: string): SkepError {
  let found = `engine "${engine}" knows no kernel configuration`;
  if (config !== undefined) {
    found = name.startsWith("CONFIG_") ? `${config.source} does not set it` : "no kernel value has this name";
  }
  return new SkepError(
    "ERR_NOT_FOUND",
    `the object needs "${name}" (__kconfig): ${found}; declare it __weak, or give it among the variables`,
  );
}
