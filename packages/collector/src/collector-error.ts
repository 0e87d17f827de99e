// SPDX-License-Identifier: Apache-2.0

import { SkepError, type SkepErrorOptions } from "@skep/ebpf";

/** A collector's spec and its object do not go together, or the object cannot be used. */
export class CollectorError extends SkepError {
  constructor(message: string, options?: SkepErrorOptions) {
    super("ERR_COLLECTOR", message, options);
  }
}
