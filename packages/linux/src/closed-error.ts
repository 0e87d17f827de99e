// SPDX-License-Identifier: Apache-2.0

/**
 * A descriptor, mapping or poller was used after it was closed. Its `code` and name are those of the `ClosedError` of
 * `@skep/ebpf`, which this package knows nothing of.
 */
export class ClosedError extends Error {
  /** Always `ERR_CLOSED`. */
  readonly code: string = "ERR_CLOSED";

  constructor(object: string) {
    super(`${object} is closed`);
    this.name = "ClosedError";
  }
}
