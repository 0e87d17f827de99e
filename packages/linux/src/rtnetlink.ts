// SPDX-License-Identifier: Apache-2.0

import { FileDescriptor } from "./file-descriptor.ts";
import { addressOf } from "./memory-address.ts";
import { systemCall } from "./system-call.ts";
import { SystemCallError } from "./system-call-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;
const headerSize = 16;
const alignment = 4;

/** Makes a new object, and refuses when there is one (NLM_F_CREATE, NLM_F_EXCL). */
export const NETLINK_CREATE: number = 0x400 | 0x200;
/** Asks for the object as the kernel made it (NLM_F_ECHO). */
export const NETLINK_ECHO = 8;

/** A request of rtnetlink(7). */
export interface RouteRequest {
  /** `RTM_*`. */
  readonly type: number;
  /** `NLM_F_*` beside those that every request has. */
  readonly flags?: number;
  /** The fixed structure of the type, then attributes. */
  readonly payload: Uint8Array;
  /** The request as a person would write it: `tc qdisc add`. */
  readonly what: string;
  /** What it is about, for error messages. */
  readonly object: string;
}

/** An attribute (`struct rtattr`): its number and bytes, padded to 4. */
export function routeAttribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil((4 + value.length) / alignment) * alignment);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/**
 * Makes a request in the network namespace that this thread is in, and returns the payload of the message that the
 * kernel sent back before its acknowledgement, if it did. Throws SystemCallError with the errno of a refusal.
 */
export function routeRequest(request: RouteRequest): Buffer | undefined {
  const { type, flags = 0, payload, what, object } = request;
  using socket = new FileDescriptor(systemCall("socket", object, AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
  const message = Buffer.alloc(headerSize + payload.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | flags, 6);
  message.set(payload, headerSize);
  systemCall("write", object, socket.number, addressOf(message), message.length);
  const reply = Buffer.alloc(1 << 14);
  let echoed: Buffer | undefined;
  // The kernel has answered by the time that write returns; each read takes one datagram.
  for (;;) {
    const length = systemCall("read", object, socket.number, addressOf(reply), reply.length);
    for (let at = 0; at + headerSize <= length; ) {
      const size = reply.readUInt32LE(at);
      if (reply.readUInt16LE(at + 4) === NLMSG_ERROR) {
        const errno = -reply.readInt32LE(at + headerSize);
        if (errno !== 0) throw new SystemCallError({ syscall: what, errno, object });
        return echoed;
      }
      echoed = Buffer.from(reply.subarray(at + headerSize, at + size));
      at += Math.max(headerSize, Math.ceil(size / alignment) * alignment);
    }
  }
}
