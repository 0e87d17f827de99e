// SPDX-License-Identifier: Apache-2.0

// Loads an object, attaches its programs, and reads a second of what they write. As root:
//   node --conditions=skep-source examples/read-a-ring/read-a-ring.ts
import { readFileSync } from "node:fs";
import { columnsOf, load, parseObject, RecordDecoder } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";

using engine = new KernelEngine();
const spec = parseObject(readFileSync(new URL("../opens/opens.bpf.o", import.meta.url)));
using app = load(spec, { engine });
app.attach();

const type = spec.maps.get("opens")?.valueTypeId ?? 0;
if (spec.btf === undefined) throw new Error("the object has no BTF");
const decoder = new RecordDecoder(columnsOf(spec.btf, type), { recordSize: spec.btf.sizeOf(type) });

using reader = app.map("opens").records({ signal: AbortSignal.timeout(1000) });
let rows = 0;
for await (const batch of reader) rows += decoder.decode(batch, engine.clockOffset()).length;
console.log(`${rows} files opened in a second`);
