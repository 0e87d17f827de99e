// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { checkSchema } from "./check-schema.ts";

describe("checkSchema", () => {
  const column = (name: string) => ({ name, type: "i32" as const });

  it("accepts plain names", () => {
    expect(() => checkSchema({ name: "exec", columns: [column("pid"), column("_x9")] })).not.toThrow();
  });

  it.each(["", "Exec", "9lives", "a-b", 'x"; drop table y; --', "a$1", "x".repeat(49), "progress"])(
    "refuses the stream name %j",
    (name) => {
      expect(() => checkSchema({ name, columns: [] })).toThrow(`stream "${name}"`);
    },
  );

  it.each(["", "Pid", "a b", "time", "node", "workload", "x".repeat(64)])("refuses the column name %j", (name) => {
    expect(() => checkSchema({ name: "s", columns: [column(name)] })).toThrow(`column "${name}"`);
  });

  it("refuses two columns of a name, and too many", () => {
    expect(() => checkSchema({ name: "s", columns: [column("a"), column("a")] })).toThrow("two of this name");
    const columns = Array.from({ length: 251 }, (_, index) => column(`c${index}`));
    expect(() => checkSchema({ name: "s", columns })).toThrow("250 are allowed");
  });
});
