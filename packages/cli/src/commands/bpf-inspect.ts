// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, describeTarget, mapTypeName, programTypeName } from "@skep/ebpf";
import { type OutputFormat, printData } from "../output/format.ts";
import { print } from "../output/print.ts";
import { printable } from "../output/safe-text.ts";
import { formatTable } from "../output/table.ts";
import { readObjectFile } from "../read-object-file.ts";

/** `skep bpf inspect FILE`: what an object declares. Needs no privileges. */
export async function bpfInspect(file: string, { output }: { readonly output: OutputFormat }): Promise<void> {
  const object = describe(readObjectFile(file));
  if (output !== "table") {
    await printData(object, output);
    return;
  }
  const { programs, maps, variables } = object;
  await print(
    [
      `${printable(file)}: ${object.byteOrder}-endian, ${object.btf ? "with BTF" : "without BTF"}, license ${printable(object.license) || "none"}\n`,
      formatTable(
        ["PROGRAM", "TYPE", "SECTION", "ATTACHES TO", "INSTRUCTIONS", "CO-RE"],
        programs.map((p) => [
          p.name,
          p.type,
          p.section,
          p.attachesTo ?? "",
          String(p.instructions),
          String(p.coreRelocations),
        ]),
      ),
      formatTable(
        ["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS"],
        maps.map((m) => [
          m.name,
          m.type,
          `${m.keySize}`,
          m.valueType === undefined ? `${m.valueSize}` : `${m.valueSize} (${m.valueType})`,
          String(m.maxEntries),
          `0x${m.flags.toString(16)}`,
        ]),
      ),
      formatTable(
        ["VARIABLE", "SECTION", "OFFSET", "BYTES"],
        variables.map((v) => [v.name, v.section, String(v.offset), String(v.size)]),
      ),
    ].join("\n"),
  );
}

interface ObjectDescription {
  readonly byteOrder: string;
  readonly btf: boolean;
  readonly license: string;
  readonly programs: {
    name: string;
    type: string;
    section: string;
    attachesTo?: string;
    instructions: number;
    coreRelocations: number;
  }[];
  readonly maps: {
    name: string;
    type: string;
    keySize: number;
    valueSize: number;
    valueType?: string;
    maxEntries: number;
    flags: number;
  }[];
  readonly variables: { name: string; section: string; offset: number; size: number; readOnly: boolean }[];
}

function describe(spec: CollectionSpec): ObjectDescription {
  const [first] = spec.programs.values();
  return {
    byteOrder: spec.byteOrder,
    btf: spec.btf !== undefined,
    license: first?.license ?? "",
    programs: [...spec.programs.values()].map((program) => ({
      name: program.name,
      type: programTypeName(program.type),
      section: program.section,
      ...(program.target === undefined ? {} : { attachesTo: describeTarget(program.target) }),
      instructions: program.instructions.length / 8,
      coreRelocations: program.coreRelocations.length,
    })),
    maps: [...spec.maps.values()].map((map) => {
      const valueType = map.valueTypeId === 0 ? "" : (spec.btf?.typeById(map.valueTypeId).name ?? "");
      return {
        name: map.name,
        type: mapTypeName(map.type),
        keySize: map.keySize,
        valueSize: map.valueSize,
        ...(valueType === "" ? {} : { valueType }),
        maxEntries: map.maxEntries,
        flags: map.flags,
      };
    }),
    variables: [...spec.variables.values()].map(({ name, map, offset, size, readOnly }) => ({
      name,
      section: map,
      offset,
      size,
      readOnly,
    })),
  };
}
