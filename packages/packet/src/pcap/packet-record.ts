// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import { PacketValueError } from "../errors.ts";
import type { PacketToCapture } from "./captured-packet.ts";

/** What every writer says of a packet. */
export interface PacketRecord {
  /** Cut to the capture's snaplen. */
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * Checks what is to be written and fills in what is not given.
 *
 * @throws {PacketValueError} for a time or length that is none
 */
export function packetRecord(format: string, packet: PacketToCapture, snaplen: number): PacketRecord {
  const { seconds = 0, nanoseconds = 0 } = packet;
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new PacketValueError(`${format}: seconds is ${seconds}, wanted an integer from 0`);
  }
  if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds >= 1e9) {
    throw new PacketValueError(`${format}: nanoseconds is ${nanoseconds}, wanted 0 to 999999999`);
  }
  return {
    bytes: packet.bytes.subarray(0, snaplen),
    originalLength: field(format, "originalLength", packet.originalLength ?? packet.bytes.length, 32),
    seconds,
    nanoseconds,
  };
}

/** Bytes of many pieces in one. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
