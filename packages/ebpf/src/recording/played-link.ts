// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "../attach-target.ts";
import type { Link } from "../engine.ts";
import { NotSupportedError } from "../errors.ts";

/** A link of a program that a recording stands in for: nothing is attached, so nothing changes and nothing is known. */
export class PlayedLink implements Link {
  readonly target: AttachTarget;

  constructor(target: AttachTarget) {
    this.target = target;
  }

  update(): never {
    throw new NotSupportedError("changing a link of a recording");
  }

  detach(): never {
    throw new NotSupportedError("detaching a link of a recording");
  }

  info(): never {
    throw new NotSupportedError("information about a link of a recording");
  }

  openIterator(): never {
    throw new NotSupportedError("an iterator in a recording");
  }

  close(): void {
    // Nothing was attached.
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
