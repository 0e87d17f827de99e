// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { parseObject } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import type { StreamSpec } from "./collector-spec.ts";
import { layoutStream } from "./stream-layout.ts";

const object = parseObject(readFileSync(new URL("../collectors/exec/exec.bpf.o", import.meta.url)));

function layout(stream: Partial<StreamSpec>): ReturnType<typeof layoutStream> {
  return layoutStream(object, { name: "s", map: "exits", ...stream });
}

describe("layoutStream", () => {
  it("takes every field of the record but the one that gives the time", () => {
    const { schema, time, ledger } = layout({});
    expect(schema.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "exec_time time",
      "duration_ns i64",
      "cgroup u64",
      "pid u32",
      "ppid u32",
      "uid u32",
      "code i32",
      "signal i32",
      "comm text",
    ]);
    expect(time?.name).toBe("time");
    expect(ledger).toBe("exits_ledger");
  });

  it("takes the columns of the manifest, in its order, with their names and descriptions", () => {
    const { schema, layouts } = layout({
      columns: [{ name: "status", field: "code", description: "Exit code" }, { name: "pid" }],
    });
    expect(schema.columns).toEqual([
      { name: "status", type: "i32", description: "Exit code" },
      { name: "pid", type: "u32" },
    ]);
    expect(layouts.map(({ name }) => name)).toEqual(["code", "pid"]);
  });

  it("reads a field with the meaning that the manifest gives it", () => {
    const { schema } = layout({ columns: [{ name: "parent", field: "ppid", meaning: "ipv4" }] });
    expect(schema.columns).toEqual([{ name: "parent", type: "ip" }]);
  });

  it.each([
    [{ map: "exit" }, 'stream "s": the object has no map "exit"; it has execs, exits'],
    [
      { map: "running" },
      'stream "s": map "running" carries no records; ring buffers and perf event arrays of the object: execs, exits',
    ],
    [{ record: "nothing" }, 'stream "s": the object\'s BTF has no struct "nothing"'],
    [
      { columns: [{ name: "pdi" }] },
      'stream "s": struct "exit_event" has no field "pdi" for column "pdi"; it has time, exec_time, duration_ns, cgroup, pid, ppid, uid, code, signal, comm',
    ],
    [
      { columns: [{ name: "pid", meaning: "ipv6" as const }] },
      'stream "s", column "pid": ipv6 is 16 bytes, field "pid" has 4',
    ],
    [
      { columns: [{ name: "node", field: "pid" }] },
      'stream "s": column "node" is one that every row has; give it another name',
    ],
    [{ ledger: "counts" }, 'stream "s": the object has no map "counts" for the ledger'],
  ])("refuses %j", (stream, message) => {
    expect(() => layout(stream)).toThrow(message);
  });

  it("refuses an object without BTF", () => {
    const bare = { ...object, btf: undefined };
    expect(() => layoutStream(bare, { name: "s", map: "execs" })).toThrow(
      "no BTF to read its records by; compile it with -g",
    );
  });
});
