// SPDX-License-Identifier: Apache-2.0

/**
 * The server was not started. `code` is stable and made for programs: `ERR_BIND_REFUSED` for an address other than
 * loopback without TLS, `ERR_ADDRESS_IN_USE`, `ERR_LISTEN` for what else the system refuses, `ERR_TOKEN` for a token
 * that could be guessed. `message` says what to do.
 */
export class ServeError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
