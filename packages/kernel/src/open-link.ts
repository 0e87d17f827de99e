// SPDX-License-Identifier: Apache-2.0

import { ClosedError, InvalidValueError, type LinkInfo, NotSupportedError, type Program } from "@skep/ebpf";
import {
  bpfObjectIds,
  createIterator,
  detachLink,
  type FileDescriptor,
  isSystemCallError,
  openBpfObject,
  pinBpfObject,
  updateLink,
} from "@skep/linux";
import { KernelIterator } from "./kernel-iterator.ts";
import { KernelProgram } from "./kernel-program.ts";
import { readLinkInfo } from "./link-info.ts";
import { openPin, takeDescriptor } from "./open-pin.ts";

/** Ids of all links in the kernel, ascending (5.8, CAP_SYS_ADMIN). */
export function linkIds(): Generator<number> {
  return bpfObjectIds("link");
}

/** Opens a link by its id (5.8, CAP_SYS_ADMIN). ENOENT when it has gone. */
export function openLink(id: number): OpenedLink {
  return new OpenedLink(openBpfObject("link", id), `link ${id}`);
}

/** Opens a pinned link. ENOENT when nothing is pinned there. */
export function openPinnedLink(path: string): OpenedLink {
  return new OpenedLink(openPin(path, "link"), path);
}

/** Takes over the descriptor of a link; as `adoptMap`. */
export function adoptLink(fd: number): OpenedLink {
  return new OpenedLink(takeDescriptor(fd, "link"), `link of descriptor ${fd}`);
}

/**
 * A link that somebody made, opened by its id or its pin. It stays attached for as long as anybody has it open, this
 * process too: closing it detaches when nobody else does.
 */
export class OpenedLink implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #object: string;

  /** Takes over the descriptor. `object` names the link in errors. */
  constructor(fd: FileDescriptor, object: string) {
    this.#fd = fd;
    this.#object = object;
  }

  info(): LinkInfo {
    return readLinkInfo(this.#open(), this.#object);
  }

  /** As `update` of a link of one's own. Throws NotSupportedError for kinds whose program stays. */
  update(program: Program): void {
    const fd = this.#open();
    if (!(program instanceof KernelProgram)) {
      throw new InvalidValueError(`program "${program.name}" belongs to another engine`);
    }
    this.#ofSomeKinds("changing the program of", () => updateLink(fd, program.fd, this.#object));
  }

  /** Detaches and keeps it open (5.9). Throws NotSupportedError for kinds that cannot. */
  detach(): void {
    const fd = this.#open();
    this.#ofSomeKinds("detaching", () => detachLink(fd, this.#object));
  }

  /** Gives it a name in a mounted BPF file system, by which it stays attached until `unpin`. */
  pin(path: string): void {
    pinBpfObject(this.#open(), path, `${this.#object}, pin ${path}`);
  }

  /** Starts to walk; iterators only. */
  openIterator(): KernelIterator {
    const fd = this.#open();
    if (this.info().kind !== "iter") throw new InvalidValueError(`${this.#object} is no iterator`);
    return new KernelIterator(createIterator(fd, this.#object), this.#object);
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): FileDescriptor {
    if (this.#fd.number === -1) throw new ClosedError(this.#object);
    return this.#fd;
  }

  /** The kernel answers EINVAL to an update, EOPNOTSUPP to a detach, of a kind that knows none. */
  #ofSomeKinds(purpose: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      const { kind } = this.info();
      const fixed = isSystemCallError(error, "EOPNOTSUPP") || (isSystemCallError(error, "EINVAL") && isFixed(kind));
      if (!fixed) throw error;
      throw new NotSupportedError(`${purpose} ${this.#object}, of kind ${kind},`, undefined, { cause: error });
    }
  }
}

/** Whether links of a kind keep their program. */
function isFixed(kind: LinkInfo["kind"]): boolean {
  return !["xdp", "tcx", "netkit", "cgroup", "netns", "sockmap", "iter", "struct_ops"].includes(kind);
}
