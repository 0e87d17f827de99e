// SPDX-License-Identifier: Apache-2.0

/**
 * Base of the errors of this package. `code` is stable and made for programs, `message` for people.
 */
export class PacketError extends Error {
  /** Stable identifier, such as `ERR_INVALID_VALUE`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A value cannot be what it was given for: text that is no address, a number too large for its header field. */
export class PacketValueError extends PacketError {
  constructor(message: string) {
    super("ERR_INVALID_VALUE", message);
  }
}

/** A capture file is not what its format asks for. */
export class MalformedCaptureError extends PacketError {
  /** Offset from the beginning of the file, in bytes. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super("ERR_MALFORMED", `capture at byte ${offset}: ${message}`);
    this.offset = offset;
  }
}
