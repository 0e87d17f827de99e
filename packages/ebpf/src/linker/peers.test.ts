// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CollectionSpec } from "../collection-spec.ts";
import { disassemble } from "../disassemble.ts";
import { parseObject } from "../parse-object.ts";
import { linkObjects } from "./link-objects.ts";

// Debian keeps it where only root's PATH leads.
const bpftool = "/usr/sbin/bpftool";
const readelf = "/usr/bin/llvm-readelf-19";
const files = ["join-one", "join-two"].map((name) =>
  fileURLToPath(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)),
);
const linked = linkObjects(files.map((name) => ({ name, bytes: new Uint8Array(readFileSync(name)) })));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-linker-"));
  writeFileSync(join(folder, "ours.o"), linked);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Programs as they run: what maps and variables they mean by name, whatever section came first. */
function programs(spec: CollectionSpec): Map<string, unknown> {
  const { btf, byteOrder } = spec;
  const variableAt = (map: string, offset: number | undefined): string => {
    const variables = [...spec.variables.values()].filter((variable) => variable.map === map);
    const found = variables.find((variable) => variable.offset === offset);
    return found === undefined ? `${map} + ${offset}` : found.name;
  };
  return new Map(
    [...spec.programs].map(([name, program]) => [
      name,
      {
        text: disassemble({ ...program, mapReferences: [] }, { btf, lines: true, byteOrder }),
        maps: program.mapReferences.map(({ map, valueOffset, instruction }) => [
          instruction,
          variableAt(map, valueOffset),
        ]),
        core: program.coreRelocations.map(({ typeId, ...rest }) => ({ ...rest, type: btf?.typeById(typeId).name })),
        functions: program.functionInfo.map(({ instruction, typeId }) => [instruction, btf?.typeById(typeId).name]),
      },
    ]),
  );
}

describe.runIf(existsSync(bpftool))("an object that linkObjects made, and bpftool", () => {
  it("is the same programs as bpftool's", () => {
    execFileSync(bpftool, ["gen", "object", join(folder, "theirs.o"), ...files]);
    const theirs = programs(parseObject(new Uint8Array(readFileSync(join(folder, "theirs.o")))));
    const ours = programs(parseObject(linked));
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, program] of ours) expect(program).toEqual(theirs.get(name));
  });

  it("is a skeleton's", () => {
    const skeleton = execFileSync(bpftool, ["gen", "skeleton", join(folder, "ours.o")], { encoding: "utf8" });
    expect(skeleton).toContain("struct bpf_program *sum_there;");
  });
});

describe.runIf(existsSync(readelf))("an object that linkObjects made, and LLVM", () => {
  it("is read without a complaint", () => {
    const text = execFileSync("/bin/sh", ["-c", `"${readelf}" --all "$1" 2>&1`, "sh", join(folder, "ours.o")], {
      encoding: "utf8",
    });
    expect(text).not.toMatch(/warning|error/);
    expect(text).toMatch(/R_BPF_64_32 +[0-9a-f]+ scale/);
  });
});
