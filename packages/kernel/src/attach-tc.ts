// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, ProgramType, type TcTarget } from "@skep/ebpf";
import { addTcFilter, ensureClsact, inNetworkNamespace, removeTcFilter, tcFilters } from "@skep/linux";
import { pointIndex } from "./attach-network.ts";
import { requireType } from "./attach-tools.ts";
import type { KernelProgram } from "./kernel-program.ts";
import { duplicateDescriptor, openForReading } from "./open-for-reading.ts";

const largestPriority = 0xffff;

/** Adds the program as a filter of the interface's clsact; the removal is among `resources`. */
export function attachTc(program: KernelProgram, { tc }: TcTarget, resources: DisposableStack): undefined {
  requireType(program, [ProgramType.SCHED_CLS], "a tc filter");
  const { direction, priority = 0, netns } = tc;
  const object = `tc ${direction} of interface ${tc.interface}`;
  if (!Number.isInteger(priority) || priority < 0 || priority > largestPriority) {
    throw new InvalidValueError(`${object}: its priority is ${priority}, 0 to ${largestPriority} is wanted`);
  }
  // The filter is removed later, from whichever namespace this thread is in by then.
  const namespace = resources.use(
    typeof netns === "number"
      ? duplicateDescriptor(netns, object)
      : openForReading(netns ?? "/proc/thread-self/ns/net", object),
  );
  const { id: programId } = program.info();
  const filter = inNetworkNamespace(namespace.number, () => {
    const interfaceIndex = pointIndex(tc);
    ensureClsact(interfaceIndex, object);
    return addTcFilter({ interfaceIndex, direction, priority }, program.fd, program.name, object);
  });
  resources.defer(() =>
    inNetworkNamespace(namespace.number, () => {
      // Somebody may have removed it, and its number may be another filter's by now, or its interface's another's.
      const own = tcFilters(filter.interfaceIndex).some(
        (each) =>
          each.programId === programId &&
          each.direction === direction &&
          each.priority === filter.priority &&
          each.handle === filter.handle,
      );
      if (own) removeTcFilter(filter, object);
    }),
  );
}
