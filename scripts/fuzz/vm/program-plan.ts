// SPDX-License-Identifier: Apache-2.0

/**
 * What a function is called with, in r1 to r5: a number, the context, 32 bytes of a caller's stack, 64 of a map's value, 16 of
 * an array's element, or what it does not use.
 */
export type Parameter = "scalar" | "context" | "stack" | "value" | "element" | "unused";

/** How a function is called: by instructions, by bpf_loop, or for each element of an array or of a hash. */
export type Caller = "call" | "loop" | "array" | "hash";

/** A function before it is written. */
export interface FunctionPlan {
  readonly name: string;
  /** Its FUNC in the types that come with every program. */
  readonly typeId: number;
  readonly parameters: readonly Parameter[];
  readonly caller: Caller;
  /** Bytes of its stack that any instruction may touch. */
  readonly window: number;
  /** Bytes of its stack above those. */
  readonly reserved: number;
  /** Whether it has the context, at the first of the reserved bytes. */
  readonly hasContext: boolean;
  /** Functions that it may call, by index. */
  readonly callees: readonly number[];
}

/** What the writers of one program share. */
export interface ProgramPlan {
  readonly type: number;
  /** Of functions; the first is the program itself. */
  readonly functions: readonly FunctionPlan[];
  /** Bytes that it dumps. */
  readonly dumpSize: number;
  /** How often each function is called at least; absent: never, and it is not to be written. */
  readonly called: Map<number, number>;
  /** Labels so far. */
  labels: number;
}
