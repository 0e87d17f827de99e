// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bpfOptions } from "./bpf-objects.ts";
import { parseAnnotations } from "./lint.ts";
import { parseTypeErrors } from "./types.ts";

describe("parseTypeErrors", () => {
  it("joins an error with its indented lines", () => {
    const output = "a/b.ts(3,7): error TS1: First.\n  More of it.\nerror TS2: No place.\nc.ts(1,1): error TS3: Last.\n";
    expect(parseTypeErrors(output)).toEqual([
      { path: "a/b.ts", line: 3, message: "TS1: First.\n  More of it." },
      { path: "tsconfig.json", message: "TS2: No place." },
      { path: "c.ts", line: 1, message: "TS3: Last." },
    ]);
  });
});

describe("parseAnnotations", () => {
  it("makes paths relative and names the rule", () => {
    const output =
      "noise\n::error title=lint/style/useConst,file=/r/a.ts,line=2,endLine=2,col=1,endColumn=2::Use const: 100%25.\n" +
      "::error title=format,file=b.ts,line=1,endLine=1,col=1,endColumn=2::Differs\n";
    expect(parseAnnotations(output, "/r")).toEqual([
      { path: "a.ts", line: 2, message: "Use const: 100%. [lint/style/useConst]" },
      { path: "b.ts", line: 1, message: "Differs [format] (npm run format)" },
    ]);
  });
});

describe("bpfOptions", () => {
  it("compiles for little-endian v3 unless the head says otherwise", () => {
    expect(bpfOptions("int x;\n")).toEqual({ target: "bpfel", cpu: "v3" });
    expect(bpfOptions("// SPDX\n/* skep: target=bpfeb cpu=v4 */\n")).toEqual({ target: "bpfeb", cpu: "v4" });
    expect(bpfOptions("\n/* skep: target=bpfeb */\n/* skep: cpu=v2 */\n")).toEqual({ target: "bpfeb", cpu: "v2" });
  });

  it("refuses another target", () => {
    expect(() => bpfOptions("/* skep: target=x86 */")).toThrow(`target is "x86"`);
  });
});
