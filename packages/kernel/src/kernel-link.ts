// SPDX-License-Identifier: Apache-2.0

import {
  type AttachTarget,
  type BpfMap,
  ClosedError,
  describeTarget,
  InvalidValueError,
  type Link,
  type LinkInfo,
  NotSupportedError,
  type Program,
} from "@skep/ebpf";
import {
  createIterator,
  detachLink,
  type FileDescriptor,
  isSystemCallError,
  pinBpfObject,
  updateLink,
} from "@skep/linux";
import { KernelIterator } from "./kernel-iterator.ts";
import { KernelProgram } from "./kernel-program.ts";
import { readLinkInfo } from "./link-info.ts";
import { KernelStructOpsMap } from "./struct-ops-map.ts";

const updatable = ["xdp", "tcx", "netkit", "cgroup", "netns", "sockmap", "iterator"];

/** An attached program: the descriptors that keep it attached. */
export class KernelLink implements Link {
  readonly target: AttachTarget;
  readonly #resources: DisposableStack;
  readonly #fd: FileDescriptor | undefined;

  /**
   * Takes over the resources, which are closed last to first. `fd`, which is one of them, is the kernel's link;
   * there is none when the attachment is several links, or none.
   */
  constructor(target: AttachTarget, resources: DisposableStack, fd?: FileDescriptor) {
    this.target = target;
    this.#resources = resources;
    this.#fd = fd;
  }

  update(what: Program | BpfMap): void {
    const fd = this.#link("changing the program of");
    if ("structOps" in this.target) {
      if (!(what instanceof KernelStructOpsMap)) {
        throw new InvalidValueError(
          `${describeTarget(this.target)} is changed for another struct_ops map of this engine`,
        );
      }
      if (what.closed) throw new ClosedError(`struct_ops "${what.spec.name}"`);
      updateLink(fd, what.fd, describeTarget(this.target));
      return;
    }
    if (!(what instanceof KernelProgram)) {
      const object = "name" in what ? `program "${what.name}"` : `map "${what.spec.name}"`;
      throw new InvalidValueError(`${object} is no program of this engine, for ${describeTarget(this.target)}`);
    }
    if (!updatable.some((key) => key in this.target)) {
      throw new NotSupportedError(`changing the program of ${describeTarget(this.target)}`);
    }
    updateLink(fd, what.fd, describeTarget(this.target));
  }

  detach(): void {
    const object = describeTarget(this.target);
    try {
      detachLink(this.#link("detaching"), object);
    } catch (error) {
      if (!isSystemCallError(error, "EOPNOTSUPP")) throw error;
      throw new NotSupportedError(`detaching ${object} without closing its link`, undefined, { cause: error });
    }
  }

  info(): LinkInfo {
    return readLinkInfo(this.#link("information about"), describeTarget(this.target));
  }

  /**
   * Gives it a name in a mounted BPF file system, by which it stays attached until `unpin`, also past this process.
   */
  pin(path: string): void {
    const object = describeTarget(this.target);
    pinBpfObject(this.#link("pinning"), path, `${object}, pin ${path}`);
  }

  openIterator(): KernelIterator {
    const object = describeTarget(this.target);
    const fd = this.#link("iterating");
    if (!("iterator" in this.target)) throw new InvalidValueError(`${object} is no iterator`);
    return new KernelIterator(createIterator(fd, object), object);
  }

  close(): void {
    this.#resources.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #link(purpose: string): FileDescriptor {
    if (this.#resources.disposed) throw new ClosedError(`the link to ${describeTarget(this.target)}`);
    if (this.#fd === undefined) {
      throw new NotSupportedError(`${purpose} ${describeTarget(this.target)}, which is not by one kernel link,`);
    }
    return this.#fd;
  }
}
