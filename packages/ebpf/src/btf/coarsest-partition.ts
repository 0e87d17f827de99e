// SPDX-License-Identifier: Apache-2.0

/**
 * Puts nodes of a graph into classes: two are in the same when they are of the same shape and their edges lead, one
 * by one, to nodes of the same class. It is the coarsest such partition: nodes that lead back to each other are told
 * apart only where something differs. `targets[n]` are the ends of node `n`'s edges; nodes of one shape have equally
 * many.
 *
 * Hopcroft's way of minimising automata (1971): a class that falls apart keeps its number for the largest part, so that
 * a node gets another number, and those that lead to it are looked at again, at most log n times.
 */
export function coarsestPartition(shapes: Uint32Array, targets: readonly (readonly number[])[]): Uint32Array {
  const incoming = new IncomingEdges(targets);
  const partition = new Partition(shapes);
  let moved: number[] = Array.from(shapes, (_, node) => node);
  while (moved.length > 0) {
    /** By node: which of its edges lead to another class now, and to which. */
    const changes = new Map<number, Change[]>();
    for (const node of moved) {
      const target = partition.classOf[node] as number;
      for (let at = incoming.starts[node] as number; at < (incoming.starts[node + 1] as number); at++) {
        append(changes, incoming.sources[at] as number, { edge: incoming.edges[at] as number, target });
      }
    }
    const touched = new Map<number, number[]>();
    for (const node of changes.keys()) append(touched, partition.classOf[node] as number, node);
    moved = [];
    for (const [number, nodes] of touched) {
      for (const node of partition.split(number, nodes, (each) => keyOf(changes.get(each) ?? []))) moved.push(node);
    }
  }
  return partition.classOf;
}

interface Change {
  readonly edge: number;
  readonly target: number;
}

function keyOf(changes: Change[]): string {
  changes.sort((a, b) => a.edge - b.edge);
  return changes.map(({ edge, target }) => `${edge} ${target}`).join();
}

function append<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/**
 * The edges that lead to each node, one node after the other: where they come from, and which edge of that node they
 * are.
 */
class IncomingEdges {
  /** Where those of a node begin; those of the next begin where they end. */
  readonly starts: Uint32Array;
  readonly sources: Uint32Array;
  readonly edges: Uint32Array;

  constructor(targets: readonly (readonly number[])[]) {
    this.starts = new Uint32Array(targets.length + 2);
    for (const list of targets) for (const target of list) (this.starts[target + 2] as number)++;
    for (let i = 2; i < this.starts.length; i++) (this.starts[i] as number) += this.starts[i - 1] as number;
    const count = this.starts.at(-1) ?? 0;
    this.sources = new Uint32Array(count);
    this.edges = new Uint32Array(count);
    // Filling moves each start to its end, which is the start of the next.
    for (const [source, list] of targets.entries()) {
      for (const [edge, target] of list.entries()) {
        const at = (this.starts[target + 1] as number)++;
        this.sources[at] = source;
        this.edges[at] = edge;
      }
    }
  }
}

class Partition {
  readonly classOf: Uint32Array;
  readonly #members: number[][] = [];
  /** Where each node stands among the members of its class. */
  readonly #places: Uint32Array;

  constructor(shapes: Uint32Array) {
    this.classOf = new Uint32Array(shapes.length);
    this.#places = new Uint32Array(shapes.length);
    const numbers = new Map<number, number>();
    for (const [node, shape] of shapes.entries()) {
      const number = numbers.get(shape) ?? this.#members.push([]) - 1;
      numbers.set(shape, number);
      this.#put(node, number);
    }
  }

  /**
   * Takes a class apart by the keys of some of its nodes; the others have one key. Gives the nodes of another number.
   */
  split(number: number, nodes: readonly number[], keyOf: (node: number) => string): number[] {
    const members = this.#members[number] ?? [];
    const groups = new Map<string, number[]>();
    for (const node of nodes) {
      const key = keyOf(node);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [node]);
      else group.push(node);
    }
    const parts = [...groups.values()];
    const rest = members.length - nodes.length;
    if (rest === 0 && parts.length === 1) return [];
    const largest = parts.reduce((most, part) => (part.length > most.length ? part : most));
    const leaving = rest >= largest.length ? parts : parts.filter((part) => part !== largest);
    if (rest > 0 && rest < largest.length) {
      const changed = new Set(nodes);
      leaving.push(members.filter((node) => !changed.has(node)));
    }
    for (const part of leaving) {
      const next = this.#members.push([]) - 1;
      for (const node of part) {
        this.#take(node);
        this.#put(node, next);
      }
    }
    return leaving.flat();
  }

  #put(node: number, number: number): void {
    const members = this.#members[number] ?? [];
    this.classOf[node] = number;
    this.#places[node] = members.push(node) - 1;
  }

  #take(node: number): void {
    const members = this.#members[this.classOf[node] as number] ?? [];
    const last = members.pop() as number;
    if (last === node) return;
    const place = this.#places[node] as number;
    members[place] = last;
    this.#places[last] = place;
  }
}
