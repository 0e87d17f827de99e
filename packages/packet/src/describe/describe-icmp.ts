// SPDX-License-Identifier: Apache-2.0
import type { IcmpLayer } from "../header/icmp.ts";

/** Names of ICMP types (RFC 792) that are met in practice. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0, "echo reply"],
  [3, "unreachable"],
  [5, "redirect"],
  [8, "echo request"],
  [11, "time exceeded"],
  [12, "parameter problem"],
]);

/** Names of ICMPv6 types (RFC 4443, RFC 4861, RFC 9777) that are met in practice. */
const TYPES6: ReadonlyMap<number, string> = new Map([
  [1, "destination unreachable"],
  [2, "packet too big"],
  [3, "time exceeded"],
  [4, "parameter problem"],
  [128, "echo request"],
  [129, "echo reply"],
  [133, "router solicitation"],
  [134, "router advertisement"],
  [135, "neighbor solicitation"],
  [136, "neighbor advertisement"],
  [137, "redirect"],
  [143, "multicast listener report v2"],
]);

/** An ICMP or ICMPv6 header in tcpdump's words; `length` is of header and payload. */
export function describeIcmp(layer: IcmpLayer, length: number): string {
  const v6 = layer.kind === "icmpv6";
  const name = (v6 ? TYPES6 : TYPES).get(layer.type) ?? `type ${layer.type}`;
  const texts = [`${v6 ? "ICMP6," : "ICMP"} ${name}`];
  const isEcho = name.startsWith("echo");
  if (isEcho) texts.push(`id ${layer.rest >>> 16}`, `seq ${layer.rest & 0xffff}`);
  if (v6 && layer.type === 2) texts.push(`mtu ${layer.rest}`);
  if (!v6 && layer.type === 3 && layer.code === 4) texts.push(`need to frag (mtu ${layer.rest & 0xffff})`);
  else if (!isEcho && layer.code !== 0) texts.push(`code ${layer.code}`);
  texts.push(`length ${length}`);
  return texts.join(", ");
}
