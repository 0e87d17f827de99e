// SPDX-License-Identifier: Apache-2.0

import { equal } from "../assert.ts";
import { readU32 } from "../bytes.ts";
import { type CaseContext, udpFrame } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";
import { packets } from "./runs.ts";

const EFAULT = -14;
const EINVAL = -22;
const ENOTSUPP = -524;
const TC_ACT_REDIRECT = 7;
/** Offsets in `struct __sk_buff`. */
const Skb = { MARK: 8, PRIORITY: 32, CB: 48 } as const;
/** `BPF_ADJ_ROOM_NET`, `BPF_ADJ_ROOM_MAC`. */
const Room = { NET: 0, MAC: 1 } as const;

const bytesOf = (collection: ReturnType<CaseContext["load"]>): Uint8Array =>
  collection.variable<Uint8Array>("bytes").get();

/** The Internet checksum of an even number of bytes; 0 when a checksum in them is right. */
function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The frame of `udpFrame` with right checksums. */
function summedFrame(): Uint8Array {
  const frame = udpFrame();
  const view = new DataView(frame.buffer);
  view.setUint16(24, checksum(frame.subarray(14, 34)));
  view.setUint16(40, udpChecksum(frame));
  return frame;
}

/** Of the pseudo header, the header and the data. */
function udpChecksum(frame: Uint8Array): number {
  const length = frame.length - 34;
  return checksum(Uint8Array.from([...frame.subarray(26, 34), 0, 17, 0, length, ...frame.subarray(34)]));
}

/** Programs that get socket buffers. */
export const skbCases: readonly EngineCase[] = [
  {
    name: "tc: it changes the packet and gives a verdict",
    run(context) {
      const { collection } = packets(context, "write_tc");
      const { returned, data } = context.run(collection, "write_tc");
      const wanted = udpFrame();
      wanted[0] = 0x55;
      wanted[13] = 0xff;
      equal(returned, 0);
      equal(data, wanted);
    },
  },
  {
    name: "tc: the context goes in and comes out",
    run(context) {
      const { collection, out } = packets(context, "context_of_tc");
      const input = new Uint8Array(192);
      const view = new DataView(input.buffer);
      view.setUint32(Skb.MARK, 41, true);
      view.setUint32(Skb.PRIORITY, 5, true);
      view.setUint32(Skb.CB + 4, 6, true);
      const { returned, context: output } = context.run(collection, "context_of_tc", {
        data: udpFrame(),
        context: input,
        contextOutSize: 192,
      });
      equal(returned, 2);
      equal(out(8), [64, 8, 41, 5, 6, 1, 0, 0]);
      equal(
        [Skb.MARK, Skb.PRIORITY, Skb.CB, Skb.CB + 4, Skb.CB + 16].map((at) => readU32(output, at)),
        [42, 9, 10, 6, 14],
      );
    },
  },
  {
    name: "tc: fields of the context that nobody may set are refused",
    run(context) {
      const { collection } = packets(context, "context_of_tc");
      const input = new Uint8Array(192);
      input[0] = 1;
      context.refuses("EINVAL", () => context.run(collection, "context_of_tc", { data: udpFrame(), context: input }));
    },
  },
  {
    name: "tc: bpf_skb_load_bytes reads within the packet, and clears what it cannot read",
    run(context) {
      const { collection, give, out } = packets(context, "load_tc", 26, 7);
      context.run(collection, "load_tc");
      equal(out(2), [0, 0]);
      equal(bytesOf(collection).subarray(0, 8), udpFrame().subarray(26, 34));
      equal(
        bytesOf(collection).subarray(32, 40),
        udpFrame().subarray(26, 34),
        "what is relative to the network header",
      );
      give(60, 7);
      context.run(collection, "load_tc");
      equal(out(1), [EFAULT]);
      equal(bytesOf(collection).subarray(0, 8), new Uint8Array(8));
      give(-1, 7);
      context.run(collection, "load_tc");
      equal(out(1), [EFAULT]);
    },
  },
  {
    name: "tc: bpf_skb_store_bytes writes within the packet",
    run(context) {
      const { collection, give, out } = packets(context, "store_tc", 42);
      const wanted = udpFrame();
      wanted.set([0x11, 0x22, 0x33, 0x44], 42);
      equal(context.run(collection, "store_tc").data, wanted);
      equal(out(1), [0]);
      give(61);
      equal(context.run(collection, "store_tc").data, udpFrame());
      equal(out(1), [EFAULT]);
      give(42, 1 << 20);
      equal(context.run(collection, "store_tc").data, udpFrame());
      equal(out(1), [EINVAL]);
    },
  },
  {
    name: "tc: checksums are kept right when an address is changed",
    run(context) {
      const { collection, out } = packets(context, "rewrite", 0x0900_a8c0);
      const { data } = context.run(collection, "rewrite", { data: summedFrame() });
      equal(out(3), [0, 0, 0]);
      equal(data.subarray(26, 30), Uint8Array.of(192, 168, 0, 9));
      equal(checksum(data.subarray(14, 34)), 0, "the checksum of the header");
      equal(udpChecksum(data), 0, "the checksum of the datagram");
    },
  },
  {
    name: "tc: bpf_skb_change_tail cuts the packet off, or adds zeros",
    run(context) {
      const { collection, give, out } = packets(context, "change_tail", 50);
      equal(context.run(collection, "change_tail").data, udpFrame().subarray(0, 50));
      equal(out(2), [0, 50]);
      give(70);
      equal(context.run(collection, "change_tail").data, Uint8Array.from([...udpFrame(), ...new Uint8Array(6)]));
      equal(out(2), [0, 70]);
      give(10);
      equal(context.run(collection, "change_tail").data, udpFrame());
      equal(out(2), [EINVAL, 64]);
    },
  },
  {
    name: "tc: bpf_skb_change_head adds room in front",
    run(context) {
      const { collection, out } = packets(context, "change_head", 8);
      const { data } = context.run(collection, "change_head");
      equal(out(2), [0, 72]);
      equal(data, Uint8Array.from([...new Uint8Array(8), ...udpFrame()]));
    },
  },
  {
    name: "tc: bpf_skb_adjust_room makes room after a header, and takes it away",
    run(context) {
      const { collection, give, out } = packets(context, "adjust_room", 8, Room.MAC);
      const frame = udpFrame();
      const { data } = context.run(collection, "adjust_room");
      equal(out(2), [0, 72]);
      equal([data.subarray(0, 14), data.subarray(22)], [frame.subarray(0, 14), frame.subarray(14)]);
      give(8, Room.NET);
      const net = context.run(collection, "adjust_room").data;
      equal(out(2), [0, 72]);
      equal([net.subarray(0, 34), net.subarray(42)], [frame.subarray(0, 34), frame.subarray(34)]);
      give(-8, Room.NET);
      equal(
        context.run(collection, "adjust_room").data,
        Uint8Array.from([...frame.subarray(0, 34), ...frame.subarray(42)]),
      );
      equal(out(2), [0, 56]);
      give(-40, Room.NET);
      equal(context.run(collection, "adjust_room").data, frame);
      equal(out(2), [ENOTSUPP, 64]);
    },
  },
  {
    name: "tc: a VLAN tag is pushed beside the packet, and popped",
    run(context) {
      const { collection, give, out } = packets(context, "vlan", 100, 1);
      equal(context.run(collection, "vlan").data, udpFrame());
      equal(out(5), [0, 1, 100, 0, 0]);
      give(100, 0);
      context.run(collection, "vlan");
      equal(out(5), [0, 1, 100, 0, 1]);
    },
  },
  {
    name: "tc: bpf_redirect is a verdict, and takes no unknown flags",
    run(context) {
      const { collection, give } = packets(context, "redirect_tc", 1, 0);
      equal(context.run(collection, "redirect_tc").returned, TC_ACT_REDIRECT);
      give(1, 2);
      equal(context.run(collection, "redirect_tc").returned, 2);
    },
  },
];
