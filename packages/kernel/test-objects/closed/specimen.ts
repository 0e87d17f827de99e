// SPDX-License-Identifier: Apache-2.0

/** An object that is closed and then used. */
export interface Specimen {
  /** For messages. */
  readonly name: string;
  readonly object: object;
  /** What ends it, where it has no `close` of its own: its owner's. */
  readonly close?: () => void;
  /** Members that may answer, because they only tell what it was. They must be there, and must not throw ClosedError. */
  readonly tells?: readonly (string | symbol)[];
  /** Arguments of its members; none unless given. */
  readonly uses?: Readonly<Record<string | symbol, readonly unknown[]>>;
  /** Looks at what it had handed out before. Returns what is wrong, if anything. */
  readonly after?: () => undefined | string | Promise<undefined | string>;
}

/** Makes the objects of one kind. What else they take goes into the scope. Throws NotSupportedError where there are none. */
export type MakeSpecimens = (scope: DisposableStack) => readonly Specimen[] | Promise<readonly Specimen[]>;

/** Undefined when every condition holds, else the words of those that do not. */
export function unless(conditions: Readonly<Record<string, boolean>>): string | undefined {
  const failed = Object.keys(conditions).filter((words) => conditions[words] !== true);
  return failed.length === 0 ? undefined : `not so: ${failed.join("; ")}`;
}

/** Whether a view shows nothing any more, because its memory was taken away and not only forgotten. */
export function isDetached({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof ArrayBuffer && buffer.detached;
}

/** Whether an attempt ends in ClosedError. */
export function refusesClosed(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    if (error instanceof Error && error.name === "ClosedError") return true;
    throw error;
  }
}
