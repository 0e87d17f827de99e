// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "../attach-target.ts";
import type { Link } from "../engine.ts";
import { ClosedError, NotSupportedError } from "../errors.ts";

/** A link of a program that a recording stands in for: nothing is attached, so nothing changes and nothing is known. */
export class PlayedLink implements Link {
  readonly target: AttachTarget;
  #closed = false;

  constructor(target: AttachTarget) {
    this.target = target;
  }

  update(): never {
    this.#checkOpen();
    throw new NotSupportedError("changing a link of a recording");
  }

  detach(): never {
    this.#checkOpen();
    throw new NotSupportedError("detaching a link of a recording");
  }

  info(): never {
    this.#checkOpen();
    throw new NotSupportedError("information about a link of a recording");
  }

  openIterator(): never {
    this.#checkOpen();
    throw new NotSupportedError("an iterator in a recording");
  }

  close(): void {
    // Nothing was attached.
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("the link of a recording");
  }
}
