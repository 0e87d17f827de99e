// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "./attach-target.ts";
import type { BpfMap } from "./bpf-map.ts";
import { codecFor } from "./codec-for.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import type { Engine, Link, Program } from "./engine.ts";
import { ClosedError, InvalidValueError, NotFoundError } from "./errors.ts";
import type { ProgramSpec } from "./program-spec.ts";
import type { VariableSpec } from "./variable-spec.ts";

/** A program of a {@link Collection}, verified and loaded. It lives as long as the collection. */
export class LoadedProgram {
  readonly spec: ProgramSpec;
  readonly #engine: Engine;
  readonly #program: Program;
  readonly #links = new Set<Link>();

  constructor(engine: Engine, program: Program, spec: ProgramSpec) {
    this.#engine = engine;
    this.#program = program;
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** Its open links, in the order in which they were made. */
  get links(): readonly Link[] {
    return [...this.#links];
  }

  /**
   * Attaches the program: to `target`, or to what its section names. Closing the link, or the collection,
   * detaches it. Throws InvalidValueError when neither says where.
   */
  attach(target: AttachTarget | undefined = this.spec.target): Link {
    if (target === undefined) {
      throw new InvalidValueError(
        `program "${this.name}": its section "${this.spec.section}" does not say where to attach it, and no target is given`,
      );
    }
    const link = new OpenLink(this.#engine.attach(this.#program, target), this.#links);
    this.#links.add(link);
    return link;
  }
}

/** Takes itself off the list of its program when it is closed. */
class OpenLink implements Link {
  readonly #link: Link;
  readonly #open: Set<Link>;

  constructor(link: Link, open: Set<Link>) {
    this.#link = link;
    this.#open = open;
  }

  get target(): AttachTarget {
    return this.#link.target;
  }

  close(): void {
    if (this.#open.delete(this)) this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A global variable of a loaded object. */
export class LoadedVariable<T = unknown> {
  readonly spec: VariableSpec;
  readonly #map: BpfMap;
  readonly #read: (bytes: Uint8Array) => T;

  constructor(spec: VariableSpec, map: BpfMap, read: (bytes: Uint8Array) => T) {
    this.spec = spec;
    this.#map = map;
    this.#read = read;
  }

  /** Its value now, as its codec decodes it; bytes when BTF does not describe it. Copies its whole section. */
  get(): T {
    const section = new Uint8Array(this.#map.rawValueSize);
    if (!this.#map.lookupRaw(new Uint8Array(4), section)) throw new NotFoundError("value", this.spec.map, []);
    return this.#read(section);
  }
}

/** What a collection is made of; `load` makes it. */
export interface CollectionParts {
  readonly spec: CollectionSpec;
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Those of the maps that `resources` closes. */
  readonly owned: Map<string, BpfMap>;
  readonly programs: ReadonlyMap<string, LoadedProgram>;
  /** Owns the maps and, after them, the programs. */
  readonly resources: DisposableStack;
}

/** An object loaded into an engine. Owns its maps, programs and links. */
export class Collection implements Disposable {
  readonly spec: CollectionSpec;
  readonly #maps: ReadonlyMap<string, BpfMap>;
  readonly #owned: Map<string, BpfMap>;
  readonly #programs: ReadonlyMap<string, LoadedProgram>;
  readonly #resources: DisposableStack;

  constructor(parts: CollectionParts) {
    this.spec = parts.spec;
    this.#maps = parts.maps;
    this.#owned = parts.owned;
    this.#programs = parts.programs;
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
  get links(): readonly Link[] {
    return [...this.#programs.values()].flatMap((program) => program.links);
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
    const { offset, size, typeId } = spec;
    if (btf === undefined || typeId === 0) {
      return new LoadedVariable(spec, map, (bytes) => bytes.slice(offset, offset + size) as T);
    }
    const codec = codecFor(btf, typeId);
    return new LoadedVariable(spec, map, (bytes) => codec.decode(bytes, offset) as T);
  }

  /**
   * Attaches every program that is not attached yet to what its section names. All or nothing: when one fails,
   * the links made by this call are closed again.
   */
  attachAll(): Link[] {
    this.#requireOpen();
    using unwind = new DisposableStack();
    const links: Link[] = [];
    for (const program of this.#programs.values()) {
      if (program.links.length === 0) links.push(unwind.use(program.attach()));
    }
    unwind.move();
    return links;
  }

  /** Detaches and gives up everything: links, then programs, then maps. An error in one does not keep the others open. */
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
