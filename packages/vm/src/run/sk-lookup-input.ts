// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import {
  contextBytes,
  type InputRules,
  isValues,
  rawContext,
  refuseOthers,
  refusePacket,
  writeValues,
} from "./input-rules.ts";

/** Of `struct bpf_sk_lookup`. */
const Field = {
  COOKIE: 0,
  FAMILY: 8,
  PROTOCOL: 12,
  REMOTE_IP4: 16,
  REMOTE_IP6: 20,
  REMOTE_ZEROS: 38,
  LOCAL_IP4: 40,
  LOCAL_IP6: 44,
  LOCAL_PORT: 60,
  INGRESS: 64,
} as const;
const AF_INET = 2;
const AF_INET6 = 10;

/** sk_lookup, as bpf_prog_test_run_sk_lookup has it. What is selected comes back as `cookie`. */
export const skLookupInput: InputRules = {
  prepare(room, layout, options) {
    refusePacket(options, layout);
    if (options.context === undefined) throw new InvalidValueError(`a run needs a context, ${layout.name} (EINVAL)`);
    const context = rawContext(options.context, layout);
    if (context !== undefined) refuseOthers(context, layout, [[Field.FAMILY, Field.INGRESS]]);
    room.enterContext(layout, layout.size);
    room.leavePacket();
    const { bytes, view } = room.memory;
    const at = room.memory.index(room.context);
    if (context !== undefined) bytes.set(context, at);
    writeValues(room, layout, options.context);
    // The kernel keeps 16 bits of these two, and reads no padding.
    view.setUint32(at + Field.FAMILY, view.getUint16(at + Field.FAMILY, true), true);
    view.setUint32(at + Field.PROTOCOL, view.getUint16(at + Field.PROTOCOL, true), true);
    view.setUint16(at + Field.REMOTE_ZEROS, 0, true);
    const port = view.getUint32(at + Field.LOCAL_PORT, true);
    if (port > 0xffff) throw new InvalidValueError(`context: bpf_sk_lookup.local_port is ${port}, of 16 bits (ERANGE)`);
    const family = view.getUint32(at + Field.FAMILY, true);
    if (family === AF_INET) {
      bytes.fill(0, at + Field.REMOTE_IP6, at + Field.REMOTE_IP6 + 16);
      bytes.fill(0, at + Field.LOCAL_IP6, at + Field.LOCAL_IP6 + 16);
    } else if (family === AF_INET6) {
      view.setUint32(at + Field.REMOTE_IP4, 0, true);
      view.setUint32(at + Field.LOCAL_IP4, 0, true);
    } else {
      throw new InvalidValueError(
        `context: bpf_sk_lookup.family is ${family}, wanted is AF_INET (2) or AF_INET6 (10) (EAFNOSUPPORT)`,
      );
    }
  },

  data(room) {
    return room.packetFrom(0);
  },

  context(room, layout, options) {
    const out = isValues(options.context) ? contextBytes(room, layout, layout.size) : new Uint8Array(layout.size);
    if (options.context instanceof Uint8Array) out.set(options.context.subarray(0, layout.size));
    new DataView(out.buffer).setBigUint64(Field.COOKIE, BigInt(room.state.assignedSocket), true);
    return out;
  },
};
