// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { closeSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, Socket } from "node:net";
import { AttrBuffer, inNetworkNamespace, isSystemCallError, systemCall } from "@skep/linux";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x8_0000;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;

/**
 * Sends 256 KiB over a TCP connection within a network namespace under a congestion control: the bytes that arrived, or
 * the name of the error with which the kernel refused it.
 */
export async function sendUnder(netns: string, congestionControl: string): Promise<number | string> {
  const open = () => systemCall("socket", netns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // A socket stays in the namespace that it was made in, whoever uses it.
  const [listener, sender] = inNetworkNamespace(netns, () => [open(), open()] as const);
  const name = new AttrBuffer(16).text(0, 16, congestionControl);
  try {
    const { address } = name;
    systemCall("setsockopt", congestionControl, sender, IPPROTO_TCP, TCP_CONGESTION, address, congestionControl.length);
  } catch (error) {
    closeSync(listener);
    closeSync(sender);
    if (!isSystemCallError(error)) throw error;
    return error.errnoName;
  }
  // Without a bind the kernel chooses the port.
  const server = createServer().listen({ fd: listener });
  await once(server, "listening");
  const client = new Socket({ fd: sender });
  client.connect((server.address() as AddressInfo).port, "127.0.0.1").end(Buffer.alloc(1 << 18));
  const [accepted] = (await once(server, "connection")) as [Socket];
  let bytes = 0;
  for await (const chunk of accepted) bytes += (chunk as Buffer).length;
  client.destroy();
  server.close();
  return bytes;
}

/** The congestion controls that the kernel offers now. */
export function congestionControls(): string[] {
  return readFileSync("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8").trim().split(" ");
}
