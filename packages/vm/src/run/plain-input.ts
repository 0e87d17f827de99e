// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import {
  contextBytes,
  type InputRules,
  isValues,
  packetOf,
  rawContext,
  refuseMetadata,
  refusePacket,
  writePacketFields,
  writeValues,
} from "./input-rules.ts";

/** Contexts of bytes: the argument of a SYSCALL program, the record of a tracepoint. What a program may touch is what there is. */
export const bytesInput: InputRules = {
  prepare(room, layout, options) {
    refusePacket(options, layout);
    if (isValues(options.context)) throw new InvalidValueError(`context: ${layout.name} has no fields; give bytes`);
    const context = options.context;
    const length = context?.length ?? 0;
    if (length > layout.size) {
      throw new InvalidValueError(
        `context has ${length} bytes; the most for ${layout.name} is ${layout.size} (EINVAL)`,
      );
    }
    room.enterContext(layout, length);
    room.leavePacket();
    if (context !== undefined) room.memory.bytes.set(context, room.memory.index(room.context));
  },

  data(room) {
    return room.packetFrom(0);
  },

  context(room, _layout, options) {
    return room.memory.slice(room.context, options.context instanceof Uint8Array ? options.context.length : 0).slice();
  },
};

/**
 * Contexts of types that BPF_PROG_RUN does not run, and of hosts: any field may be set, by its name or in the bytes. A packet,
 * where the context has one, is taken as it is.
 */
export const fieldsInput: InputRules = {
  prepare(room, layout, options) {
    if (layout.packet === undefined) refusePacket(options, layout);
    refuseMetadata(options, layout);
    const context = rawContext(options.context, layout);
    const data = layout.packet !== undefined && options.data !== undefined ? packetOf(options, layout, 0) : undefined;
    room.enterContext(layout, layout.size);
    if (context !== undefined) room.memory.bytes.set(context, room.memory.index(room.context));
    writeValues(room, layout, options.context);
    if (data === undefined || layout.packet === undefined) room.leavePacket();
    else room.placePacket(layout.packet, data, 0, 0);
    writePacketFields(room, layout);
  },

  data(room, layout, options) {
    return room.packetFrom(layout.packet !== undefined && options.data !== undefined ? room.state.packetData : 0);
  },

  context(room, layout) {
    return contextBytes(room, layout, layout.size);
  },
};
