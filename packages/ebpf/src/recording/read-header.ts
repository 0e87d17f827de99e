// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "../errors.ts";
import { padded, RECORDING_MAGIC, type RecordedObject, type RecordingHeader } from "./format.ts";

const PLACE = "recording header";
/** NR_CPUS is at most 8192 on any architecture of Linux. */
const MAX_CPUS = 8192;

/** Reads and checks a recording's header; `end` is where the frames begin. Throws MalformedError naming the field. */
export function readHeader(bytes: Uint8Array): { header: RecordingHeader; end: number } {
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, 8));
  if (magic !== RECORDING_MAGIC) {
    throw new MalformedError(
      PLACE,
      0,
      `a recording begins with ${RECORDING_MAGIC}, this with ${JSON.stringify(magic)}`,
    );
  }
  if (bytes.length < 16) throw new MalformedError(PLACE, 8, "the file ends within the header's length");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  if (16 + padded(length) > bytes.length) {
    throw new MalformedError(PLACE, 8, `the header is ${length} bytes, the file goes on for ${bytes.length - 16}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(16, 16 + length)));
  } catch (cause) {
    throw new MalformedError(PLACE, 16, "is no JSON in UTF-8", { cause });
  }
  return { header: checkHeader(json), end: 16 + padded(length) };
}

function checkHeader(json: unknown): RecordingHeader {
  const fields = new Fields(json, "");
  if (fields.integer("version", 0, 2 ** 31) !== 1) {
    throw new MalformedError(
      PLACE,
      undefined,
      `version ${fields.integer("version", 0, 2 ** 31)}: only version 1 is known`,
    );
  }
  const clockOffset = fields.text("clockOffset");
  if (!/^-?[0-9]{1,19}$/.test(clockOffset)) throw fields.wrong("clockOffset", "a decimal number of nanoseconds");
  return {
    version: 1,
    created: fields.text("created"),
    node: fields.text("node"),
    kernel: fields.text("kernel"),
    cpus: fields.integer("cpus", 1, MAX_CPUS),
    clockOffset: BigInt(clockOffset),
    objects: fields.list("objects").map((item, index): RecordedObject => {
      const object = new Fields(item, `objects[${index}].`);
      return {
        name: object.text("name"),
        size: object.integer("size", 0, Number.MAX_SAFE_INTEGER),
        fnv1a: object.integer("fnv1a", 0, 0xffff_ffff),
      };
    }),
  };
}

/** The fields of a JSON object, each taken as what it must be. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #path: string;

  constructor(json: unknown, path: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new MalformedError(PLACE, undefined, `${path === "" ? "the header" : path.slice(0, -1)} is no JSON object`);
    }
    this.#fields = new Map(Object.entries(json));
    this.#path = path;
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    if (typeof value !== "string") throw this.wrong(name, "a string");
    return value;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#fields.get(name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      throw this.wrong(name, `an integer from ${min} to ${max}`);
    }
    return value;
  }

  list(name: string): unknown[] {
    const value = this.#fields.get(name);
    if (!Array.isArray(value)) throw this.wrong(name, "a list");
    return value;
  }

  wrong(name: string, wanted: string): MalformedError {
    return new MalformedError(PLACE, undefined, `${this.#path}${name} is not ${wanted}`);
  }
}
