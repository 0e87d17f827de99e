// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { InvalidValueError, SkepError } from "@skep/ebpf";
import { LinkType, MalformedCaptureError } from "@skep/packet";
import { readCaptureFile } from "@skep/vm/node";

/** Hexadecimal digits, with spaces, line breaks and colons between bytes. */
const HEX = /^(?:[0-9a-fA-F]{2}[\s:]*)*$/;
/** Bytes of text on standard input that are taken for a packet: more than the longest has in any notation. */
const MOST_TEXT = 1 << 20;
/** What a capture begins with: pcapng; pcap of microseconds and of nanoseconds, in both byte orders. */
const captures: ReadonlySet<number> = new Set([0x0a0d0d0a, 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]);

/**
 * The packets that a person means: those of a pcap or pcapng file, one in hexadecimal, or what standard input (`-`) has of both.
 * Read as they are asked for. Throws InvalidValueError for what is none of them and for captures of other than Ethernet frames,
 * SkepError with the file's name for one that is broken.
 */
export async function* packetsOf(
  text: string,
  input: AsyncIterable<Uint8Array> = process.stdin,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (text === "-") {
    yield* packetsOfStream(input);
  } else if (existsSync(text)) {
    yield* framesOf(readCaptureFile(text), text);
  } else {
    if (text === "" || !HEX.test(text)) {
      throw new InvalidValueError(
        `--data ${JSON.stringify(text)} is neither a file that there is nor hexadecimal digits`,
      );
    }
    yield bytesOf(text);
  }
}

async function* packetsOfStream(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  const begun: Buffer[] = [];
  let length = 0;
  let ended = false;
  /** Reads until so much is there, or all. */
  const atLeast = async (wanted: number): Promise<void> => {
    while (length < wanted && !ended) {
      const { done, value } = await chunks.next();
      if (done === true) ended = true;
      else length += begun[begun.push(Buffer.from(value)) - 1]?.length ?? 0;
    }
  };
  await atLeast(4);
  if (length >= 4 && captures.has(Buffer.concat(begun).readUInt32BE(0))) {
    const rest = { [Symbol.asyncIterator]: () => chunks };
    async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* begun;
      if (!ended) yield* rest;
    }
    yield* framesOf(readCaptureFile(all()), "standard input");
    return;
  }
  await atLeast(MOST_TEXT + 1);
  await chunks.return?.();
  const text = Buffer.concat(begun).toString("latin1").trim();
  if (length > MOST_TEXT || text === "" || !HEX.test(text)) {
    throw new InvalidValueError("standard input is neither a capture nor a packet in hexadecimal digits");
  }
  yield bytesOf(text);
}

async function* framesOf(
  packets: ReturnType<typeof readCaptureFile>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    let number = 0;
    for await (const { bytes, linkType } of packets) {
      number++;
      if (linkType !== LinkType.ETHERNET) {
        throw new InvalidValueError(
          `${name}: packet ${number} has link type ${linkType}, wanted are Ethernet frames (${LinkType.ETHERNET})`,
        );
      }
      yield bytes;
    }
  } catch (cause) {
    if (!(cause instanceof MalformedCaptureError)) throw cause;
    throw new SkepError("ERR_CAPTURE", `${name}: ${cause.message}`, { cause });
  }
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/[\s:]/g, ""), "hex"));
}
