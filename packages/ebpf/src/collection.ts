// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import type { BpfMap, MapMemory } from "./bpf-map.ts";
import { rawCodec } from "./codec/raw-codec.ts";
import type { Codec } from "./codec.ts";
import { codecFor } from "./codec-for.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import type { Engine, IteratorReader, Link, Program } from "./engine.ts";
import { ClosedError, InvalidValueError, NotFoundError, NotSupportedError } from "./errors.ts";
import type { LinkInfo } from "./link-info.ts";
import { LoadedVariable } from "./loaded-variable.ts";
import type { RunOptions, RunResult } from "./program-run.ts";
import type { ProgramSpec } from "./program-spec.ts";
import { ProgramType } from "./program-type.ts";

/** A program of a {@link Collection}, verified and loaded. It lives as long as the collection. */
export class LoadedProgram {
  readonly spec: ProgramSpec;
  readonly #engine: Engine;
  /** The engine's own program, for what takes one. It belongs to the collection: do not close it. */
  readonly program: Program;
  readonly #links = new Set<LoadedLink>();

  constructor(engine: Engine, program: Program, spec: ProgramSpec) {
    this.#engine = engine;
    this.program = program;
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** What the verifier wrote down of it, by `verifierLog` of `load`; empty when nothing was asked for. */
  get verifierLog(): string {
    return this.program.verifierLog ?? "";
  }

  /** Its open links, in the order in which they were made. */
  get links(): readonly LoadedLink[] {
    return [...this.#links];
  }

  /**
   * Runs it once, or `repeat` times, on given input (BPF_PROG_TEST_RUN, 4.12). Which types can be run, and what they
   * take, is the kernel's choice. Throws NotSupportedError when the engine runs nothing.
   */
  run(options: RunOptions = {}): RunResult {
    const { program } = this;
    if (program.run === undefined) throw new NotSupportedError("running a program on given input");
    return program.run(options);
  }

  /**
   * Attaches the program: to `target`, or to what its section names. Closing the link, or the collection,
   * detaches it. Throws InvalidValueError when neither says where.
   */
  attach(target: AttachTarget | undefined = this.spec.target): LoadedLink {
    if (target === undefined) {
      throw new InvalidValueError(
        `program "${this.name}": its section "${this.spec.section}" does not say where to attach it, and no target is given`,
      );
    }
    const link = new LoadedLink(this.#engine.attach(this.program, target), this.#links);
    this.#links.add(link);
    return link;
  }
}

/** A struct of functions of a {@link Collection}, its programs loaded. It lives as long as the collection. */
export class LoadedStructOps {
  /** What hands the struct to the kernel. It belongs to the collection: do not close it. */
  readonly map: BpfMap;
  readonly #engine: Engine;
  readonly #links = new Set<LoadedLink>();

  constructor(engine: Engine, map: BpfMap) {
    this.#engine = engine;
    this.map = map;
  }

  /** The variable in the object. */
  get name(): string {
    return this.map.spec.name;
  }

  /** Its open links, in the order in which they were made. */
  get links(): readonly LoadedLink[] {
    return [...this.#links];
  }

  /**
   * Hands the struct to the kernel, which uses its functions from now on. One of `.struct_ops.link` goes when the link
   * is closed or this process ends (6.4), and `link.update(other)` puts another one of its type in its place. One of
   * `.struct_ops` goes when the link is closed and not when this process is killed, and it goes for good.
   */
  attach(): LoadedLink {
    const link = new LoadedLink(this.#engine.attachStructOps(this.map), this.#links);
    this.#links.add(link);
    return link;
  }
}

/** A link of a {@link LoadedProgram} or {@link LoadedStructOps}, which lists it until it is closed. */
export class LoadedLink implements Link {
  /** The engine's own link, for what only that engine can do. Close this one instead of it. */
  readonly link: Link;
  readonly #open: Set<LoadedLink>;

  constructor(link: Link, open: Set<LoadedLink>) {
    this.link = link;
    this.#open = open;
  }

  get target(): AttachTarget {
    return this.link.target;
  }

  update(what: Program | LoadedProgram | BpfMap | LoadedStructOps): void {
    if (what instanceof LoadedProgram) this.link.update(what.program);
    else this.link.update(what instanceof LoadedStructOps ? what.map : what);
  }

  detach(): void {
    this.link.detach();
  }

  info(): LinkInfo {
    return this.link.info();
  }

  openIterator(): IteratorReader {
    return this.link.openIterator();
  }

  close(): void {
    if (this.#open.delete(this)) this.link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What a collection is made of; `load` makes it. */
export interface CollectionParts {
  readonly spec: CollectionSpec;
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Those of the maps that `resources` closes. */
  readonly owned: Map<string, BpfMap>;
  readonly programs: ReadonlyMap<string, LoadedProgram>;
  readonly structOps: ReadonlyMap<string, LoadedStructOps>;
  /** Owns the maps and, after them, the programs. */
  readonly resources: DisposableStack;
}

/** An object loaded into an engine. Owns its maps, programs and links. */
export class Collection implements Disposable {
  readonly spec: CollectionSpec;
  readonly #maps: ReadonlyMap<string, BpfMap>;
  readonly #owned: Map<string, BpfMap>;
  readonly #programs: ReadonlyMap<string, LoadedProgram>;
  readonly #structOps: ReadonlyMap<string, LoadedStructOps>;
  readonly #resources: DisposableStack;
  readonly #memories = new Map<string, MapMemory>();

  constructor(parts: CollectionParts) {
    this.spec = parts.spec;
    this.#maps = parts.maps;
    this.#owned = parts.owned;
    this.#programs = parts.programs;
    this.#structOps = parts.structOps;
    this.#resources = parts.resources;
  }

  /** The maps that were created, by name; those of data sections have the section's name. */
  get maps(): ReadonlyMap<string, BpfMap> {
    return this.#maps;
  }

  /** The programs that were loaded, by name. */
  get programs(): ReadonlyMap<string, LoadedProgram> {
    return this.#programs;
  }

  /** Every open link. */
  get links(): readonly LoadedLink[] {
    return [...this.#programs.values(), ...this.#structOps.values()].flatMap(({ links }) => links);
  }

  /** A map by name. `K` and `V` are what the caller knows of its BTF; they are not checked. */
  map<K = unknown, V = unknown>(name: string): BpfMap<K, V> {
    this.#requireOpen();
    const map = this.#maps.get(name);
    if (map === undefined) throw new NotFoundError("map", name, this.#maps.keys());
    return map as BpfMap<K, V>;
  }

  /**
   * Hands a map over to the caller: closing the collection no longer closes it. Undefined when the collection does not
   * own one of that name, because it was given to `load` or was handed over before.
   */
  release(name: string): BpfMap | undefined {
    this.#requireOpen();
    const map = this.#owned.get(name);
    this.#owned.delete(name);
    return map;
  }

  /** A program by name. */
  program(name: string): LoadedProgram {
    this.#requireOpen();
    const program = this.#programs.get(name);
    if (program === undefined) throw new NotFoundError("program", name, this.#programs.keys());
    return program;
  }

  /** A struct of functions by the name of its variable in `.struct_ops` or `.struct_ops.link`. */
  structOps(name: string): LoadedStructOps {
    this.#requireOpen();
    const found = this.#structOps.get(name);
    if (found === undefined) throw new NotFoundError("struct_ops", name, this.#structOps.keys());
    return found;
  }

  /** A global variable by name. `T` is what the caller knows of its type; it is not checked. */
  variable<T = unknown>(name: string): LoadedVariable<T> {
    this.#requireOpen();
    const spec = this.spec.variables.get(name);
    const map = spec === undefined ? undefined : this.#maps.get(spec.map);
    if (spec === undefined || map === undefined) {
      const present = [...this.spec.variables.values()].filter((variable) => this.#maps.has(variable.map));
      throw new NotFoundError(
        "variable",
        name,
        present.map((variable) => variable.name),
      );
    }
    const { btf } = this.spec;
    const codec = btf === undefined || spec.typeId === 0 ? rawCodec(spec.size) : codecFor(btf, spec.typeId);
    // The codec makes what the caller says that the type is; nothing here could check it.
    return new LoadedVariable(spec, () => this.#memoryOf(spec.map, map), codec as Codec<T>);
  }

  /** The mapping of a data section, made when a variable of it is first used and shared by all of them. */
  #memoryOf(section: string, map: BpfMap): MapMemory {
    this.#requireOpen();
    let memory = this.#memories.get(section);
    if (memory === undefined) {
      memory = this.#resources.use(map.memory());
      this.#memories.set(section, memory);
    }
    return memory;
  }

  /**
   * Attaches every program that is not attached yet to what its section names, and every struct of functions; the
   * programs of those run by it alone. All or nothing: when one fails, the links made by this call are closed again.
   */
  attach(): LoadedLink[] {
    this.#requireOpen();
    using unwind = new DisposableStack();
    const links: LoadedLink[] = [];
    const programs = [...this.#programs.values()].filter(({ spec }) => spec.type !== ProgramType.STRUCT_OPS);
    for (const each of [...programs, ...this.#structOps.values()]) {
      if (each.links.length === 0) links.push(unwind.use(each.attach()));
    }
    unwind.move();
    return links;
  }

  /**
   * Detaches and gives up everything: links, then programs, then maps. An error in one does not keep the others open.
   */
  close(): void {
    if (this.#resources.disposed) return;
    for (const link of this.links) this.#resources.use(link);
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(): void {
    if (this.#resources.disposed) throw new ClosedError("the collection");
  }
}
