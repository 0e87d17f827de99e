// SPDX-License-Identifier: Apache-2.0
import type { ArpLayer } from "../header/arp.ts";
import type { EthernetLayer } from "../header/ethernet.ts";
import type { GeneveLayer } from "../header/geneve.ts";
import type { GreLayer } from "../header/gre.ts";
import type { IcmpLayer } from "../header/icmp.ts";
import type { Ipv4Layer } from "../header/ipv4.ts";
import type { Ipv6Layer } from "../header/ipv6.ts";
import type { FragmentLayer } from "../header/ipv6-fragment.ts";
import type { Ipv6OptionsLayer } from "../header/ipv6-options.ts";
import type { RoutingLayer } from "../header/ipv6-routing.ts";
import type { TcpLayer } from "../header/tcp.ts";
import type { UdpLayer } from "../header/udp.ts";
import type { VlanLayer } from "../header/vlan.ts";
import type { VxlanLayer } from "../header/vxlan.ts";

/** Where a header lies in its packet. */
export interface LayerPlace {
  /** From the packet's beginning, in bytes. */
  readonly offset: number;
  /** Bytes of the header, options included; not of what it carries. */
  readonly size: number;
}

/** What no header explains: what the innermost one carries, or what could not be read. */
export interface PayloadLayer extends LayerPlace {
  readonly kind: "payload";
  /** A view of the packet. */
  readonly bytes: Uint8Array;
}

/** Bytes behind the end that a length field gives, such as Ethernet's padding. */
export interface TrailerLayer extends LayerPlace {
  readonly kind: "trailer";
  /** A view of the packet. */
  readonly bytes: Uint8Array;
}

/** One layer of a parsed packet. Its fields have the names that the function which builds such a header takes. */
export type Layer =
  | ArpLayer
  | EthernetLayer
  | FragmentLayer
  | GeneveLayer
  | GreLayer
  | IcmpLayer
  | Ipv4Layer
  | Ipv6Layer
  | Ipv6OptionsLayer
  | PayloadLayer
  | RoutingLayer
  | TcpLayer
  | TrailerLayer
  | UdpLayer
  | VlanLayer
  | VxlanLayer;

/** What a layer is. */
export type LayerKind = Layer["kind"];

/** The layer of a kind: `LayerOf<"tcp">` is `TcpLayer`. */
export type LayerOf<Kind extends LayerKind> = Layer extends infer Each
  ? Each extends { readonly kind: infer EachKind }
    ? Kind extends EachKind
      ? Each
      : never
    : never
  : never;
