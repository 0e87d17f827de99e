// SPDX-License-Identifier: Apache-2.0

import type { FieldKeeps } from "../context/context-layout.ts";
import type { Helper } from "../helper/helper.ts";
import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import type { Emitters } from "./emitters.ts";
import type { ValidatedCode } from "./validate.ts";

/** How modules are written: the same for every program of an engine. */
export interface TranslationOptions {
  readonly addressBits: 32 | 64;
  /** Bytes of the engine's memory. */
  readonly memorySize: number;
  /** Where the structs of maps lie: addresses from `first` to `end`. */
  readonly maps: { readonly first: number; readonly end: number };
  readonly shared: boolean;
  readonly regions: boolean;
  /** Instructions that a run may take, about; undefined: no limit. */
  readonly fuel: number | undefined;
  readonly emitters: Emitters;
  /** Odd; hashes of keys are made with it, the same in all modules of an engine. */
  readonly hashFactor: bigint;
}

/** What the translator needs of a map that a program names. */
export interface TranslatedMap {
  /** Of `struct vm_map`. */
  readonly address: number;
  readonly keySize: number;
  /** Bytes that an update reads. */
  readonly valueSize: number;
  /** By number of the helper whose r1 it is. */
  readonly functions: ReadonlyMap<number, RuntimeFunction>;
}

/** What an `ld_imm64` loads that the program does not say itself. */
export type WideReference =
  | { readonly map: TranslatedMap }
  /** An address: of a map's value, of an extern. */
  | { readonly address: bigint };

/** A program to be translated. */
export interface TranslationUnit {
  readonly name: string;
  readonly validated: ValidatedCode;
  /** By slot of the `ld_imm64`. */
  readonly references: ReadonlyMap<number, WideReference>;
  /** Helpers in JavaScript, by number; those that the program does not call cost nothing. */
  readonly helpers: ReadonlyMap<number, Helper>;
  /** Helpers in C, by number. */
  readonly runtimeHelpers: ReadonlyMap<number, RuntimeFunction>;
  /** Host functions, by slot of their call. */
  readonly hostFunctions: ReadonlyMap<number, Helper>;
  /** Index in the engine's table of the first function whose address is taken. */
  readonly tableBase: number;
  /** Whether r1 points at a context when the program begins. */
  readonly hasContext: boolean;
  /** By offset in the context: fields of which not all that is written is kept. */
  readonly narrowFields: ReadonlyMap<number, FieldKeeps>;
  /** What the context has of a packet; undefined when it has none. */
  readonly packet: TranslatedPacket | undefined;
}

/** What translated code does with a program's packet. */
export interface TranslatedPacket {
  /** Offsets in the context of its bounds and its length: see PacketFields. */
  readonly data: number;
  readonly dataEnd: number;
  readonly dataMeta: number | undefined;
  readonly length: number | undefined;
  /** `ldabs` and `ldind`. */
  readonly load: RuntimeFunction;
  /** Called before each packet of a batch; undefined where the bounds are all. */
  readonly enter: RuntimeFunction | undefined;
}
