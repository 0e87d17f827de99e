// SPDX-License-Identifier: Apache-2.0

import { sourcePlace } from "./disassemble/source-place.ts";
import type { VerifierFinding } from "./verifier/finding.ts";

/** Options that every Skep error takes. */
export interface SkepErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * Base of the errors that Skep throws on purpose. `code` is stable and made for programs, `message` is made
 * for people: what was attempted, on what, what was found and what was wanted.
 */
export class SkepError extends Error {
  /** Stable identifier, such as `ERR_OBJECT_MALFORMED`. */
  readonly code: string;

  constructor(code: string, message: string, options?: SkepErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Bytes from outside (an object file, BTF, a recording) are not what their format asks for. */
export class MalformedError extends SkepError {
  /** Where in the input: a section, a table, a type. */
  readonly place: string;
  /** Byte offset within `place`, when one is known. */
  readonly offset: number | undefined;

  constructor(place: string, offset: number | undefined, message: string, options?: SkepErrorOptions) {
    super("ERR_MALFORMED", `${place}${offset === undefined ? "" : ` at byte ${offset}`}: ${message}`, options);
    this.place = place;
    this.offset = offset;
  }
}

/** The running kernel or engine lacks a feature. */
export class NotSupportedError extends SkepError {
  /** The feature, in the kernel's words, such as `map type ringbuf`. */
  readonly feature: string;
  /** First kernel version that has it, such as `5.8`; undefined when the engine never has it. */
  readonly minimumVersion: string | undefined;

  constructor(feature: string, minimumVersion?: string, options?: SkepErrorOptions) {
    super(
      "ERR_NOT_SUPPORTED",
      minimumVersion === undefined
        ? `${feature} is not supported here`
        : `${feature} needs Linux ${minimumVersion} or newer`,
      options,
    );
    this.feature = feature;
    this.minimumVersion = minimumVersion;
  }
}

/** Something closed was used. */
export class ClosedError extends SkepError {
  constructor(object: string) {
    super("ERR_CLOSED", `${object} is closed`);
  }
}

/** A name that does not exist was asked for; the message lists what does. */
export class NotFoundError extends SkepError {
  constructor(kind: string, name: string, existing: Iterable<string>) {
    const names = [...existing];
    super(
      "ERR_NOT_FOUND",
      `no ${kind} "${name}"; there ${names.length === 1 ? "is" : "are"} ${names.length === 0 ? "none" : names.join(", ")}`,
    );
  }
}

/** A value does not fit where it was to go: a key of the wrong size, a number out of range, an unknown field. */
export class InvalidValueError extends SkepError {
  constructor(message: string, options?: SkepErrorOptions) {
    super("ERR_INVALID_VALUE", message, options);
  }
}

/**
 * The verifier refused a program. `message` is its reason in one line with the line of C, `finding` what its log tells,
 * `log` all that it wrote; `explainVerifierError` makes a block to read of it.
 */
export class VerifierError extends SkepError {
  /** The refused program. */
  readonly program: string;
  readonly finding: VerifierFinding;
  /** The verifier's log, without the trailing NUL. */
  readonly log: string;

  constructor(program: string, finding: VerifierFinding, log: string, options?: SkepErrorOptions) {
    const place = finding.source === undefined ? "" : sourcePlace(finding.source);
    super(
      "ERR_VERIFIER",
      `program "${program}" was refused: ${finding.reason}${place === "" ? "" : ` (${place})`}`,
      options,
    );
    this.program = program;
    this.finding = finding;
    this.log = log;
  }
}

/** Objects cannot be linked with each other; the message names what and in which of them. */
export class ObjectConflictError extends SkepError {
  /** The symbol, section or property that they disagree about. */
  readonly subject: string;
  /** Names of the objects, as they were given to `linkObjects`. */
  readonly objects: readonly string[];

  constructor(subject: string, objects: readonly string[], message: string) {
    super("ERR_OBJECT_CONFLICT", `${subject}: ${message}`);
    this.subject = subject;
    this.objects = objects;
  }
}
