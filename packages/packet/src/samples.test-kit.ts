// SPDX-License-Identifier: Apache-2.0
import {
  arp,
  destinationOptions,
  ethernet,
  fragment,
  geneve,
  gre,
  hopByHop,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  packet,
  segmentRouting,
  serviceVlan,
  tcp,
  udp,
  vlan,
  vxlan,
} from "./index.ts";

/** Packets that say what every header's function builds; their bytes are in samples.test.ts, checked with tshark. */
export const SAMPLES: Readonly<Record<string, () => Uint8Array>> = {
  arp: () => packet(ethernet({ destination: "ff:ff:ff:ff:ff:ff" }), arp()),
  syn: () =>
    packet(
      ethernet(),
      ipv4({ dontFragment: true, identification: 7, dscp: 46, ecn: 2 }),
      tcp({
        flags: ["syn"],
        sequence: 0xfffffff0,
        options: [
          { kind: "mss", value: 1460 },
          { kind: "sack-permitted" },
          { kind: "timestamps", value: 123456, echo: 0 },
          { kind: "nop" },
          { kind: "window-scale", shift: 7 },
        ],
      }),
    ),
  sack: () =>
    packet(
      ethernet(),
      vlan({ id: 5, priority: 3, dropEligible: true }),
      ipv4({ ttl: 3 }),
      tcp({ flags: ["ack", "psh", "ece"], options: [{ kind: "sack", blocks: [[1000, 2000]] }] }),
      "odd",
    ),
  qinq: () => packet(ethernet(), serviceVlan({ id: 100 }), vlan({ id: 5 }), ipv6(), tcp({ flags: ["rst"] })),
  udp: () => packet(ethernet(), ipv4({ options: [{ type: 148, data: Uint8Array.of(0, 0) }] }), udp(), "hello"),
  udp6: () =>
    packet(ethernet(), ipv6({ flowLabel: 0xabcde, dscp: 10, ecn: 1 }), udp({ destinationPort: 5000 }), "hello!"),
  icmp: () => packet(ethernet(), ipv4(), icmp({ identifier: 9, sequence: 10 }), "ping"),
  tooBig: () =>
    packet(ethernet(), ipv4(), icmp({ type: 3, code: 4, rest: 1400 }), packet(ipv4({ ttl: 1 }), udp(), "quoted")),
  icmpv6: () => packet(ethernet(), ipv6(), icmpv6({ type: 129 }), "pong"),
  extensions: () =>
    packet(
      ethernet(),
      ipv6({ destination: "2001:db8::a" }),
      hopByHop({ options: [{ type: 5, data: Uint8Array.of(0, 0) }] }),
      segmentRouting({ segments: ["2001:db8::a", "2001:db8::b"] }),
      destinationOptions(),
      udp({ destinationPort: 5000 }),
      "routed",
    ),
  fragment: () =>
    packet(ethernet(), ipv6(), fragment({ fragmentOffset: 1448, identification: 77, nextHeader: 17 }), "tail of it"),
  gre: () =>
    packet(ethernet(), ipv4(), gre({ checksum: true, key: 42, sequence: 1 }), ipv6(), tcp({ flags: ["fin", "ack"] })),
  greEthernet: () => packet(ethernet(), ipv6(), gre(), ethernet(), ipv4(), icmp()),
  ipip: () => packet(ethernet(), ipv4(), ipv4({ source: "10.0.0.1", destination: "10.0.0.2" }), icmp()),
  ip6ip6: () => packet(ethernet(), ipv6(), ipv6({ source: "fd00::1", destination: "fd00::2" }), udp(), "in"),
  vxlan: () =>
    packet(
      ethernet(),
      ipv4(),
      udp({ checksum: 0 }),
      vxlan({ vni: 0xabcdef }),
      ethernet(),
      vlan(),
      ipv4(),
      tcp(),
      "deep",
    ),
  geneve: () =>
    packet(
      ethernet(),
      ipv6(),
      udp(),
      geneve({ vni: 7, options: Uint8Array.of(1, 2, 3, 1, 9, 9, 9, 9) }),
      ethernet(),
      ipv6(),
      icmpv6(),
    ),
};
