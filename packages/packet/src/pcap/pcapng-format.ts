// SPDX-License-Identifier: Apache-2.0
import { MalformedCaptureError } from "../errors.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { type CaptureFormat, viewOf } from "./capture-format.ts";
import type { CapturedPacket } from "./captured-packet.ts";
import { Block, PcapngBlock } from "./pcapng-block.ts";
import { DEFAULT_CLOCK, type PcapngClock, pcapngTime, unitsOf } from "./pcapng-time.ts";

/** Bytes of a block at most. */
const MAXIMUM_BLOCK = 16 * 1024 * 1024;
/** Interfaces of a section at most. */
const MAXIMUM_INTERFACES = 65_536;

const OPTION_END = 0;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

/** What an interface description block says. */
interface Interface {
  readonly linkType: number;
  /** 0: no limit. */
  readonly snaplen: number;
  readonly clock: PcapngClock;
}

/**
 * Reads pcapng (draft-ietf-opsawg-pcapng): sections in either byte order, interfaces with their clocks, enhanced, simple and
 * the obsolete packet blocks. Blocks of other types are left out.
 */
export class PcapngFormat implements CaptureFormat {
  #littleEndian = true;
  #interfaces: Interface[] = [];

  next(queue: ByteQueue): CapturedPacket | "skipped" | "waiting" {
    const head = queue.peek(12);
    if (head === undefined) return "waiting";
    const view = viewOf(head);
    const at = queue.offset;
    const littleEndian = this.#byteOrder(view, at);
    const length = view.getUint32(4, littleEndian);
    if (length < 12 || length % 4 !== 0 || length > MAXIMUM_BLOCK) {
      throw new MalformedCaptureError(
        at + 4,
        `a block of ${length} bytes, wanted a multiple of 4 from 12 to ${MAXIMUM_BLOCK}`,
      );
    }
    const bytes = queue.peek(length);
    if (bytes === undefined) return "waiting";
    const block = new Block(bytes, littleEndian, at);
    const trailing = block.u32(length - 4);
    if (trailing !== length)
      throw block.malformed(length - 4, `the block ends with length ${trailing}, it has ${length}`);
    const packet = this.#read(block);
    queue.take(length);
    return packet ?? "skipped";
  }

  /** A section header says its own byte order, in the 4 bytes behind its length. */
  #byteOrder(view: DataView, at: number): boolean {
    if (view.getUint32(0, true) !== PcapngBlock.SECTION_HEADER) return this.#littleEndian;
    if (view.getUint32(8, true) === PcapngBlock.BYTE_ORDER_MAGIC) return true;
    if (view.getUint32(8, false) === PcapngBlock.BYTE_ORDER_MAGIC) return false;
    throw new MalformedCaptureError(at + 8, "a section header without the magic number of its byte order");
  }

  #read(block: Block): CapturedPacket | undefined {
    switch (block.type) {
      case PcapngBlock.SECTION_HEADER:
        this.#enterSection(block);
        return undefined;
      case PcapngBlock.INTERFACE_DESCRIPTION:
        this.#addInterface(block);
        return undefined;
      case PcapngBlock.ENHANCED_PACKET:
        block.require(8, 20);
        return this.#packet(block, block.u32(8));
      case PcapngBlock.OBSOLETE_PACKET:
        block.require(8, 20);
        return this.#packet(block, block.u16(8));
      case PcapngBlock.SIMPLE_PACKET:
        return this.#simplePacket(block);
      default:
        return undefined;
    }
  }

  #enterSection(block: Block): void {
    block.require(8, 16);
    const major = block.u16(12);
    if (major !== 1) throw block.malformed(12, `pcapng version ${major}.${block.u16(14)}, only 1 is read`);
    this.#littleEndian = block.littleEndian;
    this.#interfaces = [];
  }

  #addInterface(block: Block): void {
    block.require(8, 8);
    if (this.#interfaces.length === MAXIMUM_INTERFACES) {
      throw block.malformed(0, `more than ${MAXIMUM_INTERFACES} interfaces in a section`);
    }
    this.#interfaces.push({ linkType: block.u16(8), snaplen: block.u32(12), clock: readClock(block) });
  }

  /** Enhanced and obsolete packet blocks are alike from byte 12 on: time stamp, lengths, bytes. */
  #packet(block: Block, id: number): CapturedPacket {
    const source = this.#interfaceOf(block, id);
    const length = block.u32(20);
    return {
      bytes: block.packet(28, length, 20),
      originalLength: block.u32(24),
      linkType: source.linkType,
      ...pcapngTime(source.clock, block.u32(12), block.u32(16)),
    };
  }

  #simplePacket(block: Block): CapturedPacket {
    block.require(8, 4);
    const source = this.#interfaceOf(block, 0);
    const originalLength = block.u32(8);
    const length = source.snaplen === 0 ? originalLength : Math.min(originalLength, source.snaplen);
    return {
      bytes: block.packet(12, length, 8),
      originalLength,
      linkType: source.linkType,
      seconds: 0,
      nanoseconds: 0,
    };
  }

  #interfaceOf(block: Block, id: number): Interface {
    const found = this.#interfaces[id];
    if (found === undefined) {
      throw block.malformed(8, `a packet of interface ${id}, the section has described ${this.#interfaces.length}`);
    }
    return found;
  }
}

/** The clock that an interface's options give. */
function readClock(block: Block): PcapngClock {
  let clock = DEFAULT_CLOCK;
  for (let at = 16; at + 4 <= block.end; ) {
    const code = block.u16(at);
    const length = block.u16(at + 2);
    if (code === OPTION_END) break;
    block.require(at + 4, length);
    if (code === IF_TSRESOL && length === 1) clock = { ...clock, units: unitsOf(block.u8(at + 4)) };
    if (code === IF_TSOFFSET && length === 8) clock = { ...clock, offset: block.i64(at + 4) };
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return clock;
}
