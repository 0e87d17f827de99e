// SPDX-License-Identifier: Apache-2.0

/**
 * Why a value cannot be written, thrown by the node that found out. The nodes around it add where it was; the
 * root makes an InvalidValueError of it.
 */
export class EncodeProblem extends Error {
  /** Where the value stands within the one that was to be written: `a.b[3]`. */
  path = "";

  /** Adds the field or element (`[3]`) that this happened in. */
  within(step: string): this {
    const separator = this.path === "" || this.path.startsWith("[") ? "" : ".";
    this.path = `${step}${separator}${this.path}`;
    return this;
  }

  /** The message with its place: `field "a.b": 300 does not fit into u8 (0..255)`. */
  override toString(): string {
    return this.path === "" ? this.message : `field "${this.path}": ${this.message}`;
  }
}

/** A value as a message shows it, short whatever it is. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `an array of ${value.length}`;
      return value instanceof Uint8Array ? `${value.length} bytes` : "an object";
    case "number":
    case "bigint":
    case "boolean":
    case "undefined":
      return String(value);
    default:
      return `a ${typeof value}`;
  }
}
