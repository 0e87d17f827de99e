// SPDX-License-Identifier: Apache-2.0

import { FileDescriptor } from "./file-descriptor.ts";
import { addressOf } from "./memory-address.ts";
import type { RouteRequest } from "./rtnetlink.ts";
import { systemCall } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const headerSize = 16;
const replySize = 1 << 16;

/** Asks rtnetlink(7) for all objects of a kind. Returns the payload of each: a fixed structure, then attributes. */
export function routeDump({ type, payload, what, object }: Omit<RouteRequest, "flags">): Buffer[] {
  using socket = new FileDescriptor(systemCall("socket", object, AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
  const message = Buffer.alloc(headerSize + payload.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(NLM_F_REQUEST | NLM_F_DUMP, 6);
  message.set(payload, headerSize);
  systemCall("write", object, socket.number, addressOf(message), message.length);
  const reply = Buffer.alloc(replySize);
  const found: Buffer[] = [];
  // Each read takes one datagram; the kernel writes the next when there is room for it.
  for (;;) {
    const length = systemCall("read", object, socket.number, addressOf(reply), reply.length);
    const { payloads, errno } = dumpReply(reply.subarray(0, length));
    found.push(...payloads);
    if (errno === 0) return found;
    if (errno !== undefined) throw new SystemCallError({ syscall: what, errno, object });
  }
}

/** The objects in a datagram of a dump, and how the dump ended: 0 or an errno, undefined when there is more to come. */
export function dumpReply(reply: Buffer): { readonly payloads: Buffer[]; readonly errno: number | undefined } {
  const payloads: Buffer[] = [];
  for (let at = 0; at + headerSize <= reply.length; ) {
    const size = Math.max(headerSize, reply.readUInt32LE(at));
    const kind = reply.readUInt16LE(at + 4);
    const payload = Buffer.from(reply.subarray(at + headerSize, at + size));
    // A dump that fails on its way says so in its end, as a refusal does in its error.
    if (kind === NLMSG_DONE || kind === NLMSG_ERROR) {
      return { payloads, errno: payload.length < 4 ? 0 : Math.max(0, -payload.readInt32LE(0)) };
    }
    payloads.push(payload);
    at += Math.ceil(size / 4) * 4;
  }
  return { payloads, errno: undefined };
}

/** The attributes (`struct rtattr`) in some bytes, by number; of a number that is there twice the last counts. */
export function routeAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at);
    if (size < 4 || at + size > bytes.length) break;
    // The two top bits are flags: nested, and network byte order.
    attributes.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + size));
    at += Math.ceil(size / 4) * 4;
  }
  return attributes;
}

/** Text of an attribute, without the NUL that ends it. */
export function attributeText(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : bytes.toString("utf8").replace(/\0.*$/s, "");
}
