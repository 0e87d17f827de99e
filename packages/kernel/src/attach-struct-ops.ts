// SPDX-License-Identifier: Apache-2.0

import { AttachType, type BpfMap, ClosedError, InvalidValueError } from "@skep/ebpf";
import { addressOf, BpfCommand, bpfError, MapElementCalls } from "@skep/linux";
import { linkTo } from "./attach-tools.ts";
import { KernelLink } from "./kernel-link.ts";
import { duplicateDescriptor } from "./open-for-reading.ts";
import { KernelStructOpsMap } from "./struct-ops-map.ts";

/**
 * Hands the struct of a map to the kernel: by a link for one of `.struct_ops.link`, else by the map's update, which its
 * deletion takes back. Throws InvalidValueError for a map that has none.
 */
export function attachStructOps(map: BpfMap): KernelLink {
  const object = `struct_ops "${map.spec.name}"`;
  if (!(map instanceof KernelStructOpsMap))
    throw new InvalidValueError(`${object} is no struct_ops map of this engine`);
  if (map.closed) throw new ClosedError(object);
  using building = new DisposableStack();
  const target = { structOps: map };
  if (map.structOps.link) {
    const options = { program: map.fd, attachType: AttachType.STRUCT_OPS };
    const fd = building.use(linkTo(options, object, { what: "struct_ops", since: "6.4" }));
    return new KernelLink(target, building.move(), fd);
  }
  // The map may be given up before the link is closed, and deleting still has to name it.
  const own = building.use(duplicateDescriptor(map.fd, object));
  map.fill();
  building.defer(() => {
    const result = new MapElementCalls(own).delete(addressOf(new Uint8Array(new ArrayBuffer(4))));
    if (result < 0) throw bpfError(BpfCommand.MAP_DELETE_ELEM, -result, object);
  });
  return new KernelLink(target, building.move());
}
