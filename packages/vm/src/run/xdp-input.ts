// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { PacketFields } from "../context/context-layout.ts";
import {
  contextBytes,
  type InputRules,
  isValues,
  NO_BYTES,
  packetOf,
  rawContext,
  writePacketFields,
  writeValues,
} from "./input-rules.ts";

const ETHERNET = 14;
/** Of `struct xdp_md`. */
const Field = { DATA: 0, DATA_END: 4, DATA_META: 8, INGRESS: 12, QUEUE: 16, EGRESS: 20 } as const;
/** The loopback device, which a packet comes from unless the context names another. */
const LOOPBACK = 1;
/** The most metadata: one byte holds its length in 4 bytes less one, as in `struct skb_shared_info`. */
const MOST_METADATA = 252;

/** Bytes of metadata at the beginning of the packet as the context tells it; checks the context: xdp_convert_md_to_buff. */
function metadataLength(context: Uint8Array, length: number): number {
  const word = (offset: number): number => u32(context, offset);
  const data = word(Field.DATA);
  if (word(Field.DATA_META) !== 0)
    throw refused("data_meta", word(Field.DATA_META), "0: metadata begins where data given does");
  if (word(Field.DATA_END) > length)
    throw refused("data_end", word(Field.DATA_END), `at most the ${length} bytes of data`);
  if (data > word(Field.DATA_END)) throw refused("data", data, `at most data_end, ${word(Field.DATA_END)}`);
  if (data % 4 !== 0 || data > MOST_METADATA) throw refused("data", data, `a multiple of 4 up to ${MOST_METADATA}`);
  if (word(Field.EGRESS) !== 0) throw refused("egress_ifindex", word(Field.EGRESS), "0");
  if (word(Field.INGRESS) === 0 && word(Field.QUEUE) !== 0) {
    throw refused("rx_queue_index", word(Field.QUEUE), "0 without an ingress_ifindex");
  }
  return data;
}

function refused(field: string, found: number, wanted: string): InvalidValueError {
  return new InvalidValueError(`context: xdp_md.${field} is ${found}, wanted is ${wanted} (EINVAL)`);
}

function u32(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

function withMetadata(data: Uint8Array, metadata: Uint8Array | undefined): Uint8Array {
  if (metadata === undefined) return data;
  if (metadata.length % 4 !== 0 || metadata.length > MOST_METADATA) {
    throw new InvalidValueError(
      `metadata has ${metadata.length} bytes; wanted is a multiple of 4 up to ${MOST_METADATA}`,
    );
  }
  const both = new Uint8Array(metadata.length + data.length);
  both.set(metadata);
  both.set(data, metadata.length);
  return both;
}

/** XDP, as bpf_prog_test_run_xdp has it, but that a packet is always in one piece. Metadata comes out before the packet. */
export const xdpInput: InputRules = {
  prepare(room, layout, options) {
    const data = packetOf(options, layout, ETHERNET);
    const context = rawContext(options.context, layout);
    let meta = options.metadata?.length ?? 0;
    if (context !== undefined) {
      if (meta > 0) throw new InvalidValueError("metadata is given twice: by itself, and by context.data");
      meta = metadataLength(context, data.length);
    }
    room.enterContext(layout, layout.size);
    room.placePacket(layout.packet as PacketFields, withMetadata(data, options.metadata), meta, 0);
    writePacketFields(room, layout);
    const { view } = room.memory;
    const at = room.memory.index(room.context);
    view.setUint32(at + Field.INGRESS, LOOPBACK, true);
    if (context !== undefined && u32(context, Field.INGRESS) !== 0) {
      view.setUint32(at + Field.INGRESS, u32(context, Field.INGRESS), true);
      view.setUint32(at + Field.QUEUE, u32(context, Field.QUEUE), true);
    }
    writeValues(room, layout, options.context);
  },

  data(room) {
    return room.packetFrom(room.state.packetMeta);
  },

  context(room, layout, options) {
    const bytes = contextBytes(room, layout, layout.size);
    if (!isValues(options.context)) {
      // What was given comes back as it was: the loopback device that stood in for none does not show.
      const given = options.context instanceof Uint8Array ? options.context : NO_BYTES;
      bytes.fill(0, Field.INGRESS);
      bytes.set(given.subarray(Field.INGRESS, layout.size), Field.INGRESS);
    }
    return bytes;
  },
};
