// SPDX-License-Identifier: Apache-2.0

import type { Btf, TypesHandle } from "@skep/ebpf";

/** Types as they are: there is no kernel to hand them to, and nothing to close. */
export class VmTypes implements TypesHandle {
  readonly btf: Btf;

  constructor(btf: Btf) {
    this.btf = btf;
  }

  close(): undefined {
    return undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
