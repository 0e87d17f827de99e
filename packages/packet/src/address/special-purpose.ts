// SPDX-License-Identifier: Apache-2.0
import { type IpAddress, ipBytes } from "./ip-address.ts";
import { Prefix } from "./prefix.ts";
import { SPECIAL_BLOCKS } from "./special-blocks.ts";

/**
 * What a block of addresses is for, in words that IPv4 and IPv6 share. `private` is RFC 1918 and unique-local (RFC
 * 4193), `shared` is the space behind carriers' NAT (RFC 6598), `protocol` is what the IETF assigned to one protocol
 * (anycast addresses, tunnels, identifiers), `global` everything that no registry sets apart.
 */
export type AddressClass =
  | "benchmarking"
  | "broadcast"
  | "discard"
  | "documentation"
  | "global"
  | "ipv4-mapped"
  | "link-local"
  | "loopback"
  | "multicast"
  | "private"
  | "protocol"
  | "reserved"
  | "shared"
  | "this-network"
  | "translation"
  | "unspecified";

/** A row of IANA's registries of special-purpose addresses (RFC 6890, RFC 8190), or a block of multicast addresses. */
export interface SpecialPurpose {
  readonly prefix: Prefix;
  readonly class: AddressClass;
  /** The registry's name of the block. */
  readonly name: string;
  /** The document that set it apart, such as `RFC 1918`. */
  readonly reference: string;
  /** Whether such an address may be a packet's source. */
  readonly source: boolean;
  /** Whether such an address may be a packet's destination. */
  readonly destination: boolean;
  /** Whether a router may forward packets to it. */
  readonly forwardable: boolean;
  /** Whether packets to it may leave an administrative domain; false where the registry says that it depends. */
  readonly globallyReachable: boolean;
}

let cache: readonly SpecialPurpose[] | undefined;

/**
 * The smallest special-purpose block that holds an address, undefined when it is an ordinary one.
 *
 * @throws {PacketValueError} when text is no address
 */
export function specialPurpose(address: IpAddress): SpecialPurpose | undefined {
  const bytes = ipBytes(address);
  cache ??= readRegistry();
  return cache.find((row) => row.prefix.contains(bytes));
}

/**
 * What kind of address it is. An IPv4-mapped IPv6 address is `ipv4-mapped`, whatever it maps.
 *
 * @throws {PacketValueError} when text is no address
 */
export function addressClass(address: IpAddress): AddressClass {
  return specialPurpose(address)?.class ?? "global";
}

/** Rows with the smallest blocks first, so that the first match is the closest. */
function readRegistry(): SpecialPurpose[] {
  const rows = SPECIAL_BLOCKS.map(([text, kind, name, reference, flags]): SpecialPurpose => {
    return {
      prefix: Prefix.parse(text),
      class: kind,
      name,
      reference,
      source: flags.includes("s"),
      destination: flags.includes("d"),
      forwardable: flags.includes("f"),
      globallyReachable: flags.includes("g"),
    };
  });
  return rows.sort((left, right) => right.prefix.length - left.prefix.length);
}
