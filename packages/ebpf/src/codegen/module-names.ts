// SPDX-License-Identifier: Apache-2.0

import { pascalCase, TypeScriptNames } from "./typescript-names.ts";

/** The names that a generated module exports by itself. */
export class ModuleNames {
  readonly class: string;
  readonly programs: string;
  readonly maps: string;
  readonly variables: string;
  readonly records: string;
  readonly structOps: string;
  readonly initial: string;
  readonly options: string;
  readonly codecs: string;
  readonly loadFunction: string;
  readonly specFunction: string;
  readonly codecFunction: string;

  /** `name` is that of the object: `exec` gives class `Exec`, functions `loadExec` and `execSpec`. */
  constructor(name: string) {
    this.class = new TypeScriptNames().take(name);
    this.programs = `${this.class}Programs`;
    this.maps = `${this.class}Maps`;
    this.variables = `${this.class}Variables`;
    this.records = `${this.class}Records`;
    this.structOps = `${this.class}StructOps`;
    this.initial = `${this.class}InitialValues`;
    this.options = `${this.class}LoadOptions`;
    this.codecs = `${this.class}Codecs`;
    const camel = this.class.charAt(0).toLowerCase() + this.class.slice(1);
    this.loadFunction = `load${this.class}`;
    this.specFunction = `${camel}Spec`;
    this.codecFunction = `${camel}Codecs`;
  }

  /** Those of types. */
  get types(): string[] {
    return [
      ...[this.class, this.programs, this.maps, this.structOps, this.variables, this.records],
      ...[this.initial, this.options, this.codecs],
    ];
  }
}

/** What a generated class is called for a file: `exec.bpf.c` gives `exec`. */
export function moduleNameOf(file: string): string {
  const base = file.replace(/^.*\//, "").replace(/(\.bpf)?\.[^.]*$/, "");
  const name = pascalCase(base);
  return name.charAt(0).toLowerCase() + name.slice(1);
}
