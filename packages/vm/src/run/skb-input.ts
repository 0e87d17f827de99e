// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { ContextLayout, PacketFields } from "../context/context-layout.ts";
import {
  contextBytes,
  type InputRules,
  isValues,
  packetOf,
  rawContext,
  refuseMetadata,
  refuseOthers,
  writePacketFields,
  writeValues,
} from "./input-rules.ts";
import type { RunRoom } from "./run-room.ts";

const ETHERNET = 14;
/** Of `struct __sk_buff`. */
const Field = {
  PKT_TYPE: 4,
  MARK: 8,
  PROTOCOL: 16,
  PRIORITY: 32,
  INGRESS: 36,
  IFINDEX: 40,
  CB: 48,
  FAMILY: 88,
  REMOTE_IP4: 92,
  LOCAL_IP4: 96,
  REMOTE_IP6: 100,
  LOCAL_IP6: 116,
  TSTAMP: 152,
  WIRE_LEN: 160,
  GSO_SEGS: 164,
  GSO_SIZE: 176,
  HWTSTAMP: 184,
} as const;

/** What a context given as bytes may set: convert___skb_to_skb. */
const settable: readonly (readonly [number, number])[] = [
  [Field.MARK, Field.MARK + 4],
  [Field.PRIORITY, Field.IFINDEX + 4],
  [Field.CB, Field.CB + 20],
  [Field.TSTAMP, Field.GSO_SEGS + 4],
  [Field.GSO_SIZE, Field.GSO_SIZE + 4],
  [Field.HWTSTAMP, Field.HWTSTAMP + 8],
];
/** What comes back in a context of bytes: convert_skb_to___skb. What else was given stays as it was. */
const returned: readonly (readonly [number, number])[] = settable.filter(([from]) => from !== Field.GSO_SIZE);

const LOOPBACK = 1;
const GSO_LEGACY_MAX_SIZE = 65_536;
const GSO_MAX_SEGS = 65_535;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const AF_INET = 2;
const AF_INET6 = 10;
const PacketType = { HOST: 0, MULTICAST: 2, OTHERHOST: 3 } as const;

/** Who a frame is for, as the loopback device sees it, which has neither an address nor a broadcast address: eth_type_trans. */
function packetType(frame: Uint8Array): number {
  if (((frame[0] ?? 0) & 1) !== 0) return PacketType.MULTICAST;
  for (let i = 0; i < 6; i++) if (frame[i] !== 0) return PacketType.OTHERHOST;
  return PacketType.HOST;
}

/** The protocol that the link layer tells: an EtherType, or what 802.3 frames without one are. */
function protocolOf(frame: Uint8Array): number {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const ETH_P_802_3_MIN = 0x0600;
  const ETH_P_802_3 = 0x0001;
  const ETH_P_802_2 = 0x0004;
  if (type >= ETH_P_802_3_MIN) return type;
  return frame.length >= 16 && frame[14] === 0xff && frame[15] === 0xff ? ETH_P_802_3 : ETH_P_802_2;
}

/** The least that a frame of a protocol has (EINVAL on Linux since 6.17). */
function leastLength(protocol: number): number {
  if (protocol === ETH_P_IP) return ETHERNET + 20;
  return protocol === ETH_P_IPV6 ? ETHERNET + 40 : ETHERNET;
}

/** The socket that the kernel's test run gives the packet has its addresses. */
function writeAddresses(room: RunRoom, protocol: number, frame: Uint8Array): void {
  const { view, bytes } = room.memory;
  const at = room.memory.index(room.context);
  if (protocol === ETH_P_IP) {
    view.setUint32(at + Field.FAMILY, AF_INET, true);
    bytes.set(frame.subarray(26, 30), at + Field.LOCAL_IP4);
    bytes.set(frame.subarray(30, 34), at + Field.REMOTE_IP4);
  } else if (protocol === ETH_P_IPV6) {
    view.setUint32(at + Field.FAMILY, AF_INET6, true);
    bytes.set(frame.subarray(22, 38), at + Field.LOCAL_IP6);
    bytes.set(frame.subarray(38, 54), at + Field.REMOTE_IP6);
  }
}

function checkLengths(room: RunRoom): void {
  const { view } = room.memory;
  const at = room.memory.index(room.context);
  const length = room.state.packetDataEnd - room.state.packetData;
  const wire = view.getUint32(at + Field.WIRE_LEN, true);
  if (wire === 0) view.setUint32(at + Field.WIRE_LEN, length, true);
  else if (wire < length || wire > GSO_LEGACY_MAX_SIZE) {
    throw new InvalidValueError(
      `context: __sk_buff.wire_len is ${wire}, wanted is ${length} (the packet) to ${GSO_LEGACY_MAX_SIZE} (EINVAL)`,
    );
  }
  const segments = view.getUint32(at + Field.GSO_SEGS, true);
  if (segments > GSO_MAX_SEGS) {
    throw new InvalidValueError(
      `context: __sk_buff.gso_segs is ${segments}, wanted is at most ${GSO_MAX_SEGS} (EINVAL)`,
    );
  }
}

function copyRanges(
  from: Uint8Array,
  fromIndex: number,
  to: Uint8Array,
  toIndex: number,
  ranges: readonly (readonly [number, number])[],
): void {
  for (const [start, end] of ranges) to.set(from.subarray(fromIndex + start, fromIndex + end), toIndex + start);
}

/** Whether a program's packet begins at the Ethernet header. */
function hasFrame(layout: ContextLayout): boolean {
  return layout.packet?.begins === "frame";
}

/** Socket buffers that come from a device, as bpf_prog_test_run_skb has them, but that they may be longer. */
export const skbInput: InputRules = {
  prepare(room, layout, options) {
    const frame = packetOf(options, layout, ETHERNET);
    const protocol = protocolOf(frame);
    packetOf(options, layout, leastLength(protocol));
    const context = rawContext(options.context, layout);
    if (context !== undefined) refuseOthers(context, layout, settable);
    refuseMetadata(options, layout);
    const { bytes, view } = room.memory;
    const at = room.memory.index(room.context);
    room.enterContext(layout, layout.size);
    room.placePacket(layout.packet as PacketFields, frame, 0, hasFrame(layout) ? 0 : ETHERNET);
    view.setUint32(at + Field.PKT_TYPE, packetType(frame), true);
    view.setUint16(at + Field.PROTOCOL, ((protocol & 0xff) << 8) | (protocol >>> 8), true);
    view.setUint32(at + Field.IFINDEX, LOOPBACK, true);
    if (!hasFrame(layout)) writeAddresses(room, protocol, frame);
    if (context !== undefined) {
      copyRanges(context, 0, bytes, at, settable);
      if (view.getUint32(at + Field.IFINDEX, true) === 0) view.setUint32(at + Field.IFINDEX, LOOPBACK, true);
    }
    writeValues(room, layout, options.context);
    checkLengths(room);
    writePacketFields(room, layout);
  },

  data(room, layout) {
    if (hasFrame(layout)) return room.packetFrom(room.state.packetData);
    // The kernel puts zeros where the link header was.
    const packet = room.packetFrom(room.state.packetData);
    const out = new Uint8Array(ETHERNET + packet.length);
    out.set(packet, ETHERNET);
    return out;
  },

  context(room, layout, options) {
    if (isValues(options.context)) return contextBytes(room, layout, layout.size);
    const out = new Uint8Array(layout.size);
    if (options.context instanceof Uint8Array) out.set(options.context.subarray(0, layout.size));
    copyRanges(room.memory.bytes, room.memory.index(room.context), out, 0, returned);
    return out;
  },
};
