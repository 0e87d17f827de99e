// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { formatFinding } from "./finding.ts";
import { checkSpdx } from "./spdx.ts";

const judge = (path: string, text: string) => checkSpdx(new Map([[path, text]])).map(formatFinding);

it("accepts the line in the forms of each language", () => {
  expect(judge("a.ts", "// SPDX-License-Identifier: Apache-2.0\n")).toEqual([]);
  expect(judge("run", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n")).toEqual([]);
  expect(judge("a.bpf.c", "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n")).toEqual([]);
});

it("refuses a file without it", () => {
  expect(judge("a.ts", "export {};\n\n\n// SPDX-License-Identifier: Apache-2.0\n")).toEqual([
    `a.ts:1: no "SPDX-License-Identifier: Apache-2.0" in the first 3 lines`,
  ]);
});

it("wants the licence of BPF sources for programs and their headers alone", () => {
  const dual = "// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause\n";
  expect(judge("packages/ebpf/include/skep.bpf.h", dual)).toEqual([]);
  expect(judge("packages/collector/collectors/exec/exec.h", dual)).toEqual([]);
  expect(judge("bench/reader.c", dual)).toEqual([
    `bench/reader.c:1: the licence is "GPL-2.0-only OR BSD-2-Clause", wanted "Apache-2.0"`,
  ]);
});
