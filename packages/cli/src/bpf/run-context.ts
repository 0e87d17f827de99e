// SPDX-License-Identifier: Apache-2.0

import {
  type Btf,
  BtfKind,
  type CollectionSpec,
  codecFor,
  InvalidValueError,
  type ProgramSpec,
  type RunOptions,
} from "@skep/ebpf";
import { contextLayout, rawRunOptions } from "@skep/vm";
import { parseValue } from "./value-text.ts";

/** `name=`, where a value cannot be. */
const FIELD = /(^|,)\s*([A-Za-z_]\w*)\s*=/g;

/**
 * The input of a run with the context that a person typed: `mark=7,cb=[1,2]` by the names of its fields, `hex:0a0b`, or
 * nothing. The context of a `syscall` program has the fields of the struct that its function takes. Bytes are what every engine
 * takes, so that all say the same. Throws InvalidValueError and NotFoundError.
 */
export function runInput(
  object: CollectionSpec,
  program: ProgramSpec,
  text: string | undefined,
  data: Uint8Array | undefined,
): RunOptions {
  const packet = data === undefined ? {} : { data };
  if (text === undefined) return packet;
  if (text.startsWith("hex:")) {
    const bytes = parseValue(text);
    if (bytes instanceof Uint8Array) return { ...packet, context: bytes };
  }
  const fields = fieldsOf(text);
  const layout = contextLayout(program.type, program.expectedAttachType);
  // The fields say themselves what they hold, and are refused when they cannot.
  if (layout.bytes === undefined)
    return rawRunOptions(layout, { ...packet, context: fields as Record<string, number> });
  return { ...packet, context: encodeStruct(object.btf, program, fields) };
}

function fieldsOf(text: string): Record<string, unknown> {
  const notation = text.replace(FIELD, "$1$2:");
  const value = notation === text ? undefined : parseValue(`{${notation}}`);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidValueError(`--context ${JSON.stringify(text)} is neither name=value,… nor hex:…`);
}

/** Bytes of the struct that the program's function takes a pointer to. */
function encodeStruct(btf: Btf | undefined, program: ProgramSpec, fields: Record<string, unknown>): Uint8Array {
  const type = btf === undefined ? undefined : argumentOf(btf, program);
  if (btf === undefined || type === undefined) {
    throw new InvalidValueError(
      `program "${program.name}" does not say what its context is like: give its bytes, as --context hex:…`,
    );
  }
  const codec = codecFor(btf, type);
  const bytes = new Uint8Array(codec.size);
  codec.encode(fields, bytes, 0);
  return bytes;
}

function argumentOf(btf: Btf, program: ProgramSpec): number | undefined {
  const typeId = program.functionInfo.find(({ instruction }) => instruction === 0)?.typeId;
  const named = typeId === undefined ? undefined : btf.typeById(typeId);
  const proto = named?.kind === BtfKind.FUNC ? btf.typeById(named.type) : undefined;
  const first = proto?.kind === BtfKind.FUNC_PROTO ? proto.parameters[0] : undefined;
  if (first === undefined) return undefined;
  const pointer = btf.typeById(btf.resolve(first.type));
  if (pointer.kind !== BtfKind.PTR) return undefined;
  const id = btf.resolve(pointer.type);
  return btf.typeById(id).kind === BtfKind.STRUCT ? id : undefined;
}
