// SPDX-License-Identifier: Apache-2.0

import { equal } from "../assert.ts";
import { u32 } from "../bytes.ts";
import { udpFrame } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";
import { packets } from "./runs.ts";

const XDP_DROP = 1;
const XDP_PASS = 2;
const XDP_TX = 3;
const XDP_REDIRECT = 4;
const EACCES = -13;
const EINVAL = -22;

/** Programs at a device's receive path. */
export const xdpCases: readonly EngineCase[] = [
  {
    name: "XDP: it changes the packet and gives a verdict",
    run(context) {
      const { collection } = packets(context, "turn");
      const { returned, data } = context.run(collection, "turn");
      const wanted = udpFrame();
      wanted.set(udpFrame().subarray(6, 12), 0);
      wanted.set(udpFrame().subarray(0, 6), 6);
      equal(returned, XDP_TX);
      equal(data, wanted);
      equal(context.run(collection, "turn", { data: new Uint8Array(14) }).returned, XDP_TX);
    },
  },
  {
    name: "XDP: the context goes in and comes out",
    run(context) {
      const { collection, out } = packets(context, "context_of_xdp");
      const { returned, context: output } = context.run(collection, "context_of_xdp", {
        data: udpFrame(),
        context: u32(4, 64, 0, 0, 0, 0),
        contextOutSize: 24,
      });
      equal(returned, XDP_PASS);
      equal(out(2), [60, 4]);
      equal(output.subarray(0, 12), u32(4, 64, 0));
      context.run(collection, "context_of_xdp");
      equal(out(4), [64, 0, 1, 0]);
    },
  },
  {
    name: "XDP: a context that contradicts itself is refused",
    run(context) {
      const { collection } = packets(context, "context_of_xdp");
      const run = (...words: number[]) =>
        context.run(collection, "context_of_xdp", { data: udpFrame(), context: u32(...words) });
      context.refuses("EINVAL", () => run(0, 65, 0, 0, 0, 0));
      context.refuses("EINVAL", () => run(3, 64, 0, 0, 0, 0));
      context.refuses("EINVAL", () => run(0, 64, 4, 0, 0, 0));
    },
  },
  {
    name: "XDP: bpf_xdp_adjust_head takes bytes away and adds some in front",
    run(context) {
      const { collection, give, out } = packets(context, "adjust_head", 20);
      const frame = udpFrame();
      equal(context.run(collection, "adjust_head").data, frame.subarray(20));
      equal(out(1), [0]);
      give(-4);
      equal(context.run(collection, "adjust_head").data, Uint8Array.from([0xaa, 0xaa, 0xaa, 0xaa, ...frame]));
      give(51);
      equal(context.run(collection, "adjust_head").data, frame);
      equal(out(1), [EINVAL]);
      give(-5000);
      equal(context.run(collection, "adjust_head").data, frame);
      equal(out(1), [EINVAL]);
    },
  },
  {
    name: "XDP: bpf_xdp_adjust_tail cuts the packet off, or adds zeros",
    run(context) {
      const { collection, give, out } = packets(context, "adjust_tail", -14);
      const frame = udpFrame();
      equal(context.run(collection, "adjust_tail").data, frame.subarray(0, 50));
      equal(out(2), [0, 50]);
      give(10);
      equal(context.run(collection, "adjust_tail").data, Uint8Array.from([...frame, ...new Uint8Array(10)]));
      equal(out(2), [0, 74]);
      give(-51);
      equal(context.run(collection, "adjust_tail").data, frame);
      equal(out(2), [EINVAL, 64]);
    },
  },
  {
    name: "XDP: bpf_xdp_adjust_meta makes room before the packet, in multiples of 4",
    run(context) {
      const { collection, give, out } = packets(context, "adjust_meta", -8);
      const { returned, data } = context.run(collection, "adjust_meta");
      equal([returned, out(1)[0]], [XDP_PASS, 0]);
      equal(data.length === 72 ? data.subarray(8) : data, udpFrame());
      give(-6);
      equal(context.run(collection, "adjust_meta").returned, XDP_DROP);
      equal(out(1), [EACCES]);
    },
  },
  {
    name: "XDP: bytes are loaded and stored by helpers, within the packet",
    run(context) {
      const { collection, give, out } = packets(context, "load_xdp", 26, 0);
      const frame = udpFrame();
      const { data } = context.run(collection, "load_xdp");
      equal(data, Uint8Array.from([...frame.subarray(26, 34), ...frame.subarray(8)]));
      equal(out(3), [0, 0, 64]);
      give(57, 57);
      equal(context.run(collection, "load_xdp").data, frame);
      equal(out(3), [EINVAL, EINVAL, 64]);
    },
  },
  {
    name: "XDP: bpf_redirect is a verdict",
    run(context) {
      const { collection } = packets(context, "redirect_xdp", 1);
      equal(context.run(collection, "redirect_xdp").returned, XDP_REDIRECT);
    },
  },
  {
    name: "XDP: bpf_redirect_map gives its flags where there is no device",
    run(context) {
      const { collection, give } = packets(context, "redirect_map", 2);
      equal(context.run(collection, "redirect_map").returned, XDP_TX);
      give(100);
      equal(context.run(collection, "redirect_map").returned, XDP_TX);
    },
  },
  {
    name: "XDP: each repetition goes on with what the one before left",
    run(context) {
      const { collection, out } = packets(context, "adjust_tail", -10);
      const { data } = context.run(collection, "adjust_tail", { data: udpFrame(), repeat: 3 });
      equal([data.length, ...out(2)], [34, 0, 34]);
    },
  },
];
