// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget, Link } from "@skep/ebpf";

/** An attached program: the descriptors that keep it attached. */
export class KernelLink implements Link {
  readonly target: AttachTarget;
  readonly #resources: DisposableStack;

  /** Takes over the resources, which are closed last to first. */
  constructor(target: AttachTarget, resources: DisposableStack) {
    this.target = target;
    this.#resources = resources;
  }

  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
