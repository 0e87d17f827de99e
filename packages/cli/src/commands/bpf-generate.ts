// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { type GenerateOptions, generate, generateJavaScript, moduleNameOf, SkepError } from "@skep/ebpf";
import { compileBpf } from "../compile-bpf.ts";
import { print } from "../output/print.ts";
import { readObjectBytes } from "../read-object-file.ts";

/** What `skep bpf generate` takes. */
export interface GenerateCommandOptions {
  /** Where the module goes: beside the source with the ending `.ts` or `.js` unless given; `-` is standard output. */
  readonly out?: string;
  /** Writes JavaScript, and its declarations into a `.d.ts` beside it (not to standard output). */
  readonly js?: boolean;
  /** What its names begin with; by the file unless given. */
  readonly name?: string;
  /** C types to declare besides those of maps and variables. */
  readonly type?: readonly string[];
  readonly clang?: string;
  /** False leaves DWARF in the object. */
  readonly strip?: string | boolean;
  /** Added to clang's flags. */
  readonly cflag?: readonly string[];
  /** False leaves the default flags out. */
  readonly defaultFlags?: boolean;
}

/** `skep bpf generate FILE`: a module for a `.bpf.c`, which it compiles, or for an object. */
export async function bpfGenerate(file: string, options: GenerateCommandOptions): Promise<void> {
  const object = file.endsWith(".c") ? compile(file, options) : readObjectBytes(file);
  const how: GenerateOptions = {
    name: options.name ?? moduleNameOf(file),
    source: basename(file),
    types: options.type ?? [],
  };
  const ending = options.js === true ? ".js" : ".ts";
  const out = options.out ?? file.replace(/\.[^./]*$/, ending);
  if (options.js === true) {
    const { code, declarations } = generating(file, () => generateJavaScript(object, how));
    await write(out, code);
    if (out !== "-") await write(out.replace(/(\.([cm]?)js)?$/, ".d.$2ts"), declarations);
  } else {
    await write(
      out,
      generating(file, () => generate(object, how)),
    );
  }
}

async function write(out: string, text: string): Promise<void> {
  if (out === "-") await print(text);
  else writeFileSync(out, text);
}

function compile(file: string, options: GenerateCommandOptions): Uint8Array {
  return compileBpf(file, {
    ...(options.clang === undefined ? {} : { clang: options.clang }),
    ...(typeof options.strip === "string" || options.strip === false ? { strip: options.strip } : {}),
    flags: options.cflag ?? [],
    noDefaultFlags: options.defaultFlags === false,
  });
}

/** Errors about the object begin with its path. */
function generating<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new SkepError("ERR_OBJECT", `${file}: ${cause.message}`, { cause });
  }
}
