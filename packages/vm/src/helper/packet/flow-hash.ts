// SPDX-License-Identifier: Apache-2.0

const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const TCP = 6;
const UDP = 17;
const SCTP = 132;

/**
 * A hash of the flow that a packet belongs to, never 0: of its addresses, its protocol and its ports, the same for every packet
 * of the flow and for every run. FNV-1a, mixed once more; the kernel's is keyed with a secret.
 */
export function flowHash(protocol: number, network: Uint8Array): number {
  let hash = 0x811c9dc5;
  const add = (start: number, end: number): void => {
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (network[i] ?? 0), 0x01000193);
  };
  let transport = 0;
  let header = network.length;
  if (protocol === ETH_P_IP) {
    transport = network[9] ?? 0;
    header = ((network[0] ?? 0) & 15) * 4;
    add(12, 20);
    // A fragment has no ports that could be relied upon.
    if ((((network[6] ?? 0) & 0x3f) | (network[7] ?? 0)) !== 0) header = network.length;
  } else if (protocol === ETH_P_IPV6) {
    transport = network[6] ?? 0;
    header = 40;
    add(8, 40);
  }
  hash = Math.imul(hash ^ transport, 0x01000193);
  if (transport === TCP || transport === UDP || transport === SCTP) add(header, Math.min(header + 4, network.length));
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash ^= hash >>> 13;
  return hash >>> 0 || 1;
}
