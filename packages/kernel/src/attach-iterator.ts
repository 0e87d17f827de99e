// SPDX-License-Identifier: Apache-2.0

import { AttachType, InvalidValueError, type IteratorPoint, type IteratorTarget, ProgramType } from "@skep/ebpf";
import type { FileDescriptor, IteratorDetail } from "@skep/linux";
import { linkTo, requireType } from "./attach-tools.ts";
import { KernelMap } from "./kernel-map.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { openForReading } from "./open-for-reading.ts";

/** Bytes of `union bpf_iter_link_info`. */
const infoSize = 16;
/** `enum bpf_cgroup_iter_order`. */
const cgroupOrders = { self: 1, "descendants-before": 2, "descendants-after": 3, ancestors: 4 } as const;

/** Attaches an iterator, which runs when it is opened and read. */
export function attachIterator(program: KernelProgram, { iterator }: IteratorTarget): FileDescriptor {
  requireType(program, [ProgramType.TRACING], "an iterator");
  const object = `iterator "${program.spec.attachTo}"`;
  using held = new DisposableStack();
  const info = iteratorInfo(iterator, object, held);
  const options = { program: program.fd, attachType: AttachType.TRACE_ITER };
  return linkTo(info === undefined ? options : { ...options, detail: info }, object, { what: object, since: "5.8" });
}

function iteratorInfo(point: IteratorPoint, object: string, held: DisposableStack): IteratorDetail | undefined {
  const { map, pid, tid, cgroup, order = "self" } = point;
  const given = [map, pid, tid, cgroup].filter((value) => value !== undefined);
  if (given.length === 0) return undefined;
  if (given.length > 1) throw new InvalidValueError(`${object}: give only one of map, pid, tid and cgroup`);
  const words = new Uint32Array(infoSize / 4);
  if (map !== undefined) {
    if (!(map instanceof KernelMap)) {
      throw new InvalidValueError(`${object}: map "${map.spec.name}" belongs to another engine`);
    }
    words[0] = map.fd;
  } else if (cgroup !== undefined) {
    words[0] = cgroupOrders[order];
    words[1] = held.use(openForReading(cgroup, `${object}, cgroup ${cgroup}`)).number;
  } else {
    words[0] = tid ?? 0;
    words[1] = pid ?? 0;
  }
  return { kind: "iterator", info: new Uint8Array(words.buffer) };
}
