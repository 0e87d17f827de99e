// SPDX-License-Identifier: Apache-2.0

import { isIP, isIPv6 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** Whether listening on an address means all of the machine's: `0.0.0.0` and `::`, however they are written. */
export function isWildcard(host: string): boolean {
  return isIP(host) !== 0 && /^[0.:]+$/.test(host);
}

/** Whether an address is one of the machine's own, now. */
export function isOwnAddress(address: string): boolean {
  return interfaceAddresses().some((own) => own.address === address);
}

/** The loopback address that a server on a wildcard address is reached by. */
export function loopbackOf(wildcard: string): string {
  return isIPv6(wildcard) ? "::1" : "127.0.0.1";
}

/**
 * An address of this machine by which others reach a server on a wildcard address: of an interface other than
 * loopback, IPv4 first, because people type it; loopback when there is none.
 */
export function reachableAddress(
  wildcard: string,
  interfaces: readonly NetworkInterfaceInfo[] = interfaceAddresses(),
): string {
  const families = isIPv6(wildcard) ? ["IPv4", "IPv6"] : ["IPv4"];
  const usable = interfaces
    .filter(({ address, family, internal }) => !internal && families.includes(family) && !isLinkLocal(address))
    .toSorted((a, b) => families.indexOf(a.family) - families.indexOf(b.family));
  return usable[0]?.address ?? loopbackOf(wildcard);
}

function interfaceAddresses(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}

/** Whether an address reaches no further than the link: 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291, 2.5.6). */
function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}
