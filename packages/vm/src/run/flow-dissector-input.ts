// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { PacketFields } from "../context/context-layout.ts";
import { type InputRules, NO_BYTES, packetOf, refuseMetadata, refuseOthers, writePacketFields } from "./input-rules.ts";
import type { VmRunOptions } from "./run-options.ts";

const ETHERNET = 14;
/** Bytes of `struct bpf_flow_keys`. */
const KEYS_SIZE = 56;
/** Of `struct bpf_flow_keys`. */
const Key = { NHOFF: 0, THOFF: 2, N_PROTO: 10, FLAGS: 48 } as const;
/** `flow_keys` of `struct __sk_buff`. */
const FLOW_KEYS = 144;
const allowed = [[Key.FLAGS, Key.FLAGS + 4]] as const;

function flagsOf(context: VmRunOptions["context"]): Uint8Array {
  if (context === undefined) return NO_BYTES;
  if (!(context instanceof Uint8Array)) {
    throw new InvalidValueError("context: a flow dissector's is struct bpf_flow_keys, in bytes");
  }
  const keys = { name: "struct bpf_flow_keys", fields: [] };
  refuseOthers(context, keys, allowed);
  return context.subarray(Key.FLAGS, Key.FLAGS + 4);
}

/**
 * The flow dissector, as bpf_prog_test_run_flow_dissector has it: the context that goes in and the data that comes out are
 * `struct bpf_flow_keys`.
 */
export const flowDissectorInput: InputRules = {
  prepare(room, layout, options) {
    const frame = packetOf(options, layout, ETHERNET);
    refuseMetadata(options, layout);
    const flags = flagsOf(options.context);
    room.enterContext(layout, layout.size);
    room.placePacket(layout.packet as PacketFields, frame, 0, 0);
    writePacketFields(room, layout);
    const { memory } = room;
    const keys = room.openBeside(KEYS_SIZE);
    const at = memory.index(keys);
    memory.view.setUint16(at + Key.NHOFF, ETHERNET, true);
    memory.view.setUint16(at + Key.THOFF, ETHERNET, true);
    memory.bytes.set(frame.subarray(12, 14), at + Key.N_PROTO);
    memory.bytes.set(flags, at + Key.FLAGS);
    memory.view.setBigUint64(memory.index(room.context) + FLOW_KEYS, BigInt(keys), true);
  },

  data(room, _layout, options) {
    const { memory } = room;
    const address = memory.view.getUint32(memory.index(room.context) + FLOW_KEYS, true);
    const keys = memory.slice(address, KEYS_SIZE).slice();
    // bpf_flow_dissect keeps what a program says within the packet.
    const view = new DataView(keys.buffer);
    const length = options.data?.length ?? 0;
    const network = Math.min(Math.max(view.getUint16(Key.NHOFF, true), ETHERNET), length);
    view.setUint16(Key.NHOFF, network, true);
    view.setUint16(Key.THOFF, Math.min(Math.max(view.getUint16(Key.THOFF, true), network), length), true);
    return keys;
  },

  context() {
    return NO_BYTES;
  },
};
