// SPDX-License-Identifier: Apache-2.0

/**
 * `use-after-close.ts KIND…` makes the objects of each kind, closes them, and uses every member that they have: each has to
 * throw ClosedError. Says on standard output what it is about to do, so that whoever started it knows what it died of:
 *
 *     kind a ring reader         what follows is about this kind
 *     class KernelMap            this class is among the objects, or a base of one
 *     member map "queue" pop     about to be used
 *     wrong …                    it did something else than throw ClosedError
 *     skip …                     the kernel lacks what this kind takes
 *     done
 *
 * `--classes` in the place of a kind names every exported class of the packages below that can be closed.
 */
import { globSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isGeneratorFunction } from "node:util/types";
import { NotSupportedError } from "@skep/ebpf";
import { kinds } from "./closed/kinds.ts";
import type { Specimen } from "./closed/specimen.ts";

const packages = fileURLToPath(new URL("../../", import.meta.url));
// Synchronous: a signal must not find it in a buffer.
const say = (line: string): void => {
  writeSync(1, `${line.replaceAll("\n", " ")}\n`);
};

for (const kind of process.argv.slice(2)) {
  say(`kind ${kind}`);
  if (kind === "--classes") for (const name of await closableClasses()) say(`class ${name}`);
  else await tryKind(kind);
  say("done");
}
// Some of what was closed had a wait pending: it must not keep the process.
process.exit();

async function tryKind(kind: string): Promise<void> {
  const make = kinds[kind];
  if (make === undefined) throw new Error(`no kind ${kind}; there are ${Object.keys(kinds).join(", ")}`);
  using scope = new DisposableStack();
  try {
    for (const specimen of await make(scope)) await tryOut(specimen);
  } catch (error) {
    if (!(error instanceof NotSupportedError)) throw error;
    say(`skip ${error.message}`);
  }
}

async function tryOut({ name, object, close, tells = [], uses = {}, after }: Specimen): Promise<void> {
  const owner = object as { close?(): void; [Symbol.dispose]?(): void };
  const members = membersOf(object);
  say(`member ${name} close`);
  if (close !== undefined) close();
  else if (owner.close !== undefined) owner.close();
  else owner[Symbol.dispose]?.();
  // Once more, and by the other name, which has to do nothing.
  close?.();
  owner.close?.();
  owner[Symbol.dispose]?.();
  for (const [key, member] of members) {
    say(`member ${name} ${String(key)}`);
    const told = await outcome(() =>
      member.get === undefined ? member.value.apply(object, uses[key] ?? []) : member.get.call(object),
    );
    if (tells.includes(key) ? told.closed : !told.closed) say(`wrong ${name}: ${String(key)} ${told.text}`);
  }
  for (const key of [...tells, ...Reflect.ownKeys(uses)]) {
    if (!members.has(key)) say(`wrong ${name}: it has no ${String(key)}, which is listed`);
  }
  say(`member ${name} after`);
  const complaint = await after?.();
  if (typeof complaint === "string") say(`wrong ${name}: ${complaint}`);
}

/** Methods and getters of an object's classes, each as it is called; what ends it (close, discard, dispose) is left out. */
function membersOf(object: object): Map<string | symbol, PropertyDescriptor> {
  const members = new Map<string | symbol, PropertyDescriptor>();
  for (let each = Object.getPrototypeOf(object); each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    say(`class ${each.constructor.name}`);
    for (const key of Reflect.ownKeys(each)) {
      const member = Object.getOwnPropertyDescriptor(each, key) ?? {};
      const used = member.get !== undefined || typeof member.value === "function";
      const ends = key === "constructor" || key === "close" || key === "discard" || key === Symbol.dispose;
      if (used && !ends && !members.has(key)) members.set(key, member);
    }
  }
  return members;
}

/** What a use came to. Of a promise, what it settles to; of an iterator, what its first step does. */
async function outcome(use: () => unknown): Promise<{ closed: boolean; text: string }> {
  try {
    let result = await use();
    if (typeof result === "object" && result !== null && "next" in result && typeof result.next === "function") {
      result = await result.next();
    }
    return { closed: false, text: `returned ${typeof result === "object" ? "an object" : String(result)}` };
  } catch (error) {
    const closed =
      error instanceof Error && error.name === "ClosedError" && "code" in error && error.code === "ERR_CLOSED";
    return { closed, text: `threw ${error}` };
  }
}

async function closableClasses(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const path of globSync("{ebpf,kernel,linux}/src/**/*.ts", { cwd: packages })) {
    if (/\.(test|test-kit)\.ts$/.test(path)) continue;
    const module: Record<string, unknown> = await import(`${packages}${path}`);
    for (const value of Object.values(module)) {
      if (typeof value !== "function" || isGeneratorFunction(value) || typeof value.prototype !== "object") continue;
      const { prototype } = value;
      // One that takes an argument ends something else.
      const closes =
        Symbol.dispose in prototype || (typeof prototype.close === "function" && prototype.close.length === 0);
      if (closes) found.add(value.name);
    }
  }
  return found;
}
