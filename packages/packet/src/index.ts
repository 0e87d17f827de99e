// SPDX-License-Identifier: Apache-2.0

/**
 * Packets: headers to build and to read, checksums, addresses and prefixes, capture files. Pure: it runs in a browser too.
 * `packet` builds one, `parsePacket` reads one, `describePacket` says in a line what it is.
 *
 * @module packet
 */
export { compareIp, formatIp, type IpAddress, ipBytes, parseIp, tryParseIp } from "./address/ip-address.ts";
export { formatMac, type MacAddress, macBytes, parseMac } from "./address/mac-address.ts";
export { Prefix } from "./address/prefix.ts";
export { type AddressClass, addressClass, type SpecialPurpose, specialPurpose } from "./address/special-purpose.ts";
export { packet } from "./build/packet.ts";
export type { AddressPair, PacketPart, PartPlace } from "./build/packet-part.ts";
export { foldSum, internetChecksum, sumWords } from "./checksum/internet-checksum.ts";
export { pseudoHeaderSum } from "./checksum/pseudo-header.ts";
export { updateChecksum, updateChecksum32, updateChecksumBytes } from "./checksum/update-checksum.ts";
export { describePacket } from "./describe/describe-packet.ts";
export { MalformedCaptureError, PacketError, PacketValueError } from "./errors.ts";
export { type ArpFields, type ArpLayer, arp } from "./header/arp.ts";
export { EtherType } from "./header/ether-type.ts";
export { type EthernetFields, type EthernetLayer, ethernet } from "./header/ethernet.ts";
export { GENEVE_PORT, type GeneveFields, type GeneveLayer, geneve } from "./header/geneve.ts";
export { type GreFields, type GreLayer, gre } from "./header/gre.ts";
export { type IcmpFields, type IcmpLayer, icmp, icmpv6 } from "./header/icmp.ts";
export { IpProtocol } from "./header/ip-protocol.ts";
export { type Ipv4Fields, type Ipv4Layer, ipv4 } from "./header/ipv4.ts";
export type { Ipv4Option } from "./header/ipv4-option.ts";
export { type Ipv6Fields, type Ipv6Layer, ipv6 } from "./header/ipv6.ts";
export { type FragmentFields, type FragmentLayer, fragment } from "./header/ipv6-fragment.ts";
export {
  destinationOptions,
  hopByHop,
  type Ipv6Option,
  type Ipv6OptionsFields,
  type Ipv6OptionsLayer,
} from "./header/ipv6-options.ts";
export {
  type RoutingFields,
  type RoutingLayer,
  routing,
  type SegmentRoutingFields,
  segmentRouting,
} from "./header/ipv6-routing.ts";
export { type TcpFields, type TcpLayer, tcp } from "./header/tcp.ts";
export type { TcpFlag } from "./header/tcp-flag.ts";
export type { TcpOption } from "./header/tcp-option.ts";
export { type UdpFields, type UdpLayer, udp } from "./header/udp.ts";
export { serviceVlan, type VlanFields, type VlanLayer, vlan } from "./header/vlan.ts";
export { VXLAN_PORT, type VxlanFields, type VxlanLayer, vxlan } from "./header/vxlan.ts";
export { type ChecksumFault, checksumFaults } from "./parse/checksum-faults.ts";
export type { ParseFault } from "./parse/dissection.ts";
export type { Layer, LayerKind, LayerOf, LayerPlace, PayloadLayer, TrailerLayer } from "./parse/layer.ts";
export { parsePacket } from "./parse/parse-packet.ts";
export { ParsedPacket } from "./parse/parsed-packet.ts";
export { CaptureReader } from "./pcap/capture-reader.ts";
export type { CapturedPacket, PacketToCapture } from "./pcap/captured-packet.ts";
export { LinkType } from "./pcap/link-type.ts";
export { type PcapOptions, PcapWriter, writePcap } from "./pcap/pcap-writer.ts";
export { PcapngWriter, writePcapng } from "./pcap/pcapng-writer.ts";
export { parseCapture, readCapture } from "./pcap/read-capture.ts";
