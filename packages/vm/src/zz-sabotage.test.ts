import { suiteObject } from "@skep/testbed";
import { engineCases, runCase } from "@skep/testbed/engine-suite";
import { it } from "vitest";
import { VmEngine } from "./vm-engine.ts";
type Any = any;
const sabotages: Record<string, (map: Any, program: Any) => void> = {};
const undef = ["lookup", "lookupAndDelete", "pop", "peek"];
for (const m of undef) sabotages[`${m}->undefined`] = (map) => { if (map) map[m] = () => undefined; };
for (const m of ["update", "updateRaw", "push", "freeze", "close"]) sabotages[`${m}->noop`] = (map) => { if (map) map[m] = () => undefined; };
for (const m of ["delete", "deleteRaw", "lookupRaw", "lookupAndDeleteRaw", "has", "nextKeyRaw"]) for (const v of [true, false]) sabotages[`${m}->${v}`] = (map) => { if (map) { const o = map[m].bind(map); map[m] = (...a: Any[]) => { o(...a); return v; }; } };
for (const m of ["lookupBatchRaw", "lookupAndDeleteBatchRaw", "updateBatchRaw", "deleteBatchRaw"]) sabotages[`${m}+1`] = (map) => { if (map) { const o = map[m].bind(map); map[m] = (...a: Any[]) => o(...a) + 1; } };
for (const m of ["keys", "entries", "entriesBatch"]) sabotages[`${m}->skip first`] = (map) => { if (map) { const o = map[m].bind(map); map[m] = function* () { let f = true; for (const k of o()) { if (!f) yield k; f = false; } }; } };
sabotages["memory closed view"] = (map) => { if (map) { const o = map.memory.bind(map); map.memory = () => { const mem = o(); mem.set = () => undefined; return mem; }; } };
for (const f of ["returned", "data", "context", "duration"]) sabotages[`run.${f}`] = (_m, p) => { if (p) { const o = p.run.bind(p); p.run = (x: Any) => { const r = o(x); return { ...r, [f]: typeof r[f] === "number" ? -7.5 : new Uint8Array(3) }; }; } };
sabotages["program.close noop"] = (_m, p) => { if (p) p.close = () => undefined; };
it("sabotage", { timeout: 600000 }, async () => {
  for (const [name, apply] of Object.entries(sabotages)) {
    const failed: string[] = [];
    for (const c of engineCases) {
      const engine: Any = new VmEngine({ memory: 16 << 20 });
      const cm = engine.createMap.bind(engine), lp = engine.loadProgram.bind(engine);
      engine.createMap = (...a: Any[]) => { const m = cm(...a); apply(m, undefined); return m; };
      engine.loadProgram = (...a: Any[]) => { const p = lp(...a); apply(undefined, p); return p; };
      const t = c.name.includes("iterating") ? Promise.race([runCase(c, { engine, object: suiteObject }), new Promise((_, r) => setTimeout(() => r(new Error("late")), 500))]) : runCase(c, { engine, object: suiteObject });
      try { await t; } catch { failed.push(c.name); }
    }
    process.stdout.write(`${failed.length === 0 ? "SURVIVED" : failed.length} ${name} ${failed[0] ?? ""}\n`);
  }
});
