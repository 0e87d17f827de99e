// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ArpFields,
  arp,
  checksumFaults,
  destinationOptions,
  ethernet,
  formatIp,
  formatMac,
  fragment,
  geneve,
  gre,
  hopByHop,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  type PacketPart,
  packet,
  parsePacket,
  routing,
  serviceVlan,
  tcp,
  udp,
  vlan,
  vxlan,
} from "../index.ts";
import { partOfLayer } from "./part-of-layer.test-kit.ts";

/** A part to be built, and what the parsed layer must say. */
interface Case {
  readonly part: PacketPart;
  readonly layer: object;
}

const bits = (count: number) => fc.nat(2 ** count - 1);
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => formatMac(bytes));
const ip4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatIp);
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIp);
const data = (maxLength: number) => fc.uint8Array({ maxLength });

function cases<Fields>(
  kind: string,
  fields: fc.Arbitrary<Fields>,
  build: (fields: Fields) => PacketPart,
): fc.Arbitrary<Case> {
  return fields.map((each) => ({ part: build(each), layer: { kind, ...each } }));
}

const ethernets = cases("ethernet", fc.record({ source: mac, destination: mac }), ethernet);
const vlanFields = fc.record({ id: bits(12), priority: bits(3), dropEligible: fc.boolean() });
const vlans = fc.oneof(cases("vlan", vlanFields, vlan), cases("vlan", vlanFields, serviceVlan));
const arpFields = fc.record({ operation: bits(16), senderMac: mac, senderIp: ip4, targetMac: mac, targetIp: ip4 });
const arps = cases<ArpFields>("arp", arpFields, arp);
const ipv4Options = fc.array(
  fc.oneof(
    fc.constant({ type: 1, data: new Uint8Array() }),
    fc.record({ type: fc.integer({ min: 2, max: 255 }), data: data(8) }),
  ),
  { maxLength: 4 },
);
const ipv4s = cases(
  "ipv4",
  fc.record({
    source: ip4,
    destination: ip4,
    ttl: bits(8),
    dscp: bits(6),
    ecn: bits(2),
    identification: bits(16),
    dontFragment: fc.boolean(),
    reservedFlag: fc.boolean(),
    options: ipv4Options,
  }),
  ipv4,
);
const ipv6s = cases(
  "ipv6",
  fc.record({ source: ip6, destination: ip6, hopLimit: bits(8), dscp: bits(6), ecn: bits(2), flowLabel: bits(20) }),
  ipv6,
);
const extensionOptions = fc.array(fc.record({ type: fc.integer({ min: 2, max: 255 }), data: data(12) }), {
  maxLength: 4,
});
const extensions = fc.oneof(
  extensionOptions.map((options) => optionsCase("hop-by-hop", hopByHop({ options }), options)),
  extensionOptions.map((options) => optionsCase("destination-options", destinationOptions({ options }), options)),
  cases(
    "routing",
    fc.record({
      routingType: fc.constantFrom(0, 2, 3, 4),
      segmentsLeft: bits(8),
      data: fc.nat(6).chain((words) => fc.uint8Array({ minLength: 4 + words * 8, maxLength: 4 + words * 8 })),
    }),
    routing,
  ),
  cases("fragment", fc.record({ identification: bits(32) }), fragment),
);
const tcpOption = fc.oneof(
  fc.record({ kind: fc.constant("mss" as const), value: bits(16) }),
  fc.record({ kind: fc.constant("window-scale" as const), shift: bits(8) }),
  fc.record({ kind: fc.constant("timestamps" as const), value: bits(32), echo: bits(32) }),
  fc.record({ kind: fc.constant("sack" as const), blocks: fc.array(fc.tuple(bits(32), bits(32)), { maxLength: 1 }) }),
  fc.constantFrom({ kind: "nop" as const }, { kind: "sack-permitted" as const }),
  fc.record({ kind: fc.constant("other" as const), code: fc.integer({ min: 30, max: 255 }), data: data(4) }),
);
const tcps = cases(
  "tcp",
  fc.record({
    sourcePort: bits(16),
    destinationPort: bits(16),
    sequence: bits(32),
    acknowledgment: bits(32),
    flags: fc.subarray(["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ae"] as const),
    reserved: bits(3),
    window: bits(16),
    urgentPointer: bits(16),
    options: fc.array(tcpOption, { maxLength: 4 }),
  }),
  tcp,
);
const udps = cases("udp", fc.record({ sourcePort: bits(16), destinationPort: fc.constantFrom(9, 53, 443) }), udp);
const icmpFields = fc.record({ type: bits(8), code: bits(8), rest: bits(32) });
const greFields = fc.record({
  key: fc.option(bits(32), { nil: undefined }),
  sequence: fc.option(bits(32), { nil: undefined }),
});
const gres = fc.tuple(greFields, fc.boolean()).map(([fields, sum]) => ({
  part: gre(sum ? { ...fields, checksum: true } : fields),
  layer: { kind: "gre", ...fields },
}));
const vxlans = cases("vxlan", fc.record({ vni: bits(24), flags: bits(8) }), vxlan);
const geneveOptions = fc.nat(8).chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4 }));
const geneves = cases(
  "geneve",
  fc.record({ vni: bits(24), control: fc.boolean(), critical: fc.boolean(), options: geneveOptions }),
  geneve,
);

/** Padding that was added stands behind the options that were given. */
function optionsCase(kind: string, part: PacketPart, options: readonly object[]): Case {
  const leading: unknown = expect.objectContaining(Object.fromEntries(options.entries()));
  return { part, layer: { kind, options: leading } };
}

const none = fc.constant<Case[]>([]);
const one = (each: fc.Arbitrary<Case>) => each.map((found) => [found]);
const chain = (...pieces: fc.Arbitrary<Case[]>[]) => fc.tuple(...pieces).map((found) => found.flat());

const upper4 = fc.oneof(one(tcps), one(udps), one(cases("icmp", icmpFields, icmp)), none);
const upper6 = fc.oneof(one(tcps), one(udps), one(cases("icmpv6", icmpFields, icmpv6)), none);
const ip = (upper: fc.Arbitrary<Case[]> | undefined) =>
  fc.oneof(
    chain(one(ipv4s), upper ?? upper4),
    chain(one(ipv6s), fc.array(extensions, { maxLength: 3 }), upper ?? upper6),
  );
const inner = ip(undefined);
const frame = chain(one(ethernets), fc.array(vlans, { maxLength: 2 }), fc.oneof(inner, one(arps)));
const udpTunnel = one(
  fc.record({ sourcePort: bits(16) }).map((fields) => ({ part: udp(fields), layer: { kind: "udp", ...fields } })),
);
const tunnels = fc.oneof(
  inner,
  chain(one(gres), fc.oneof(inner, frame)),
  chain(udpTunnel, one(vxlans), frame),
  chain(udpTunnel, one(geneves), fc.oneof(inner, frame)),
);
const packets = chain(one(ethernets), fc.array(vlans, { maxLength: 2 }), fc.oneof(inner, ip(tunnels), one(arps)));

test("what is built is what is parsed, with right checksums, and builds the same bytes again", () => {
  fc.assert(
    fc.property(packets, data(40), (parts, payload) => {
      const bytes = packet(...parts.map(({ part }) => part), payload);
      const parsed = parsePacket(bytes);
      expect(parsed.faults).toEqual([]);
      const headers = parsed.layers.filter(({ kind }) => kind !== "payload" && kind !== "trailer");
      expect(headers).toMatchObject(parts.map(({ layer }) => layer));
      expect(parsed.layers.length - headers.length).toBe(payload.length === 0 ? 0 : 1);
      expect(parsed.payload).toEqual(payload);
      expect(checksumFaults(parsed)).toEqual([]);
      expect(packet(...parsed.layers.map(partOfLayer))).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});
