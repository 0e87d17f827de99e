// SPDX-License-Identifier: Apache-2.0

/** A packet of a capture, with what the capture knows of it. */
export interface CapturedPacket {
  /** What was captured; a view of the bytes that were read. */
  readonly bytes: Uint8Array;
  /** Bytes that the packet had when it was captured; more than `bytes` holds when the capture cut it. */
  readonly originalLength: number;
  /** What it begins with: a number of `LinkType`, or any other of that list. */
  readonly linkType: number;
  /** When it was captured: whole seconds since 1970, 0 when the file does not say (pcapng's simple packets). */
  readonly seconds: number;
  /** The rest of that time, 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** A packet to be written to a capture. */
export interface PacketToCapture {
  readonly bytes: Uint8Array;
  /** Default: that of `bytes`. */
  readonly originalLength?: number | undefined;
  /** Default: that of the capture, or Ethernet. */
  readonly linkType?: number | undefined;
  /** Default 0. */
  readonly seconds?: number | undefined;
  /** Default 0. */
  readonly nanoseconds?: number | undefined;
}

/** Bytes of a packet that libpcap takes at most (MAXIMUM_SNAPLEN). */
export const MAXIMUM_SNAPLEN = 262_144;
