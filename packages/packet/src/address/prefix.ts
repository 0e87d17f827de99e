// SPDX-License-Identifier: Apache-2.0
import { PacketValueError } from "../errors.ts";
import { compareBytes, formatIp, type IpAddress, ipBytes, shorten, tryParseIp } from "./ip-address.ts";

/** A block of addresses that share their first bits, such as `10.0.0.0/8` or `2001:db8::/32`. RFC 4632, RFC 4291 2.3. */
export class Prefix {
  /** The first address of the block: 4 or 16 bytes, those behind the prefix zero. Not to be written to. */
  readonly address: Uint8Array;
  /** How many leading bits are shared: 0 to 32, or to 128. */
  readonly length: number;

  /**
   * The block of `length` bits that holds an address; the address's other bits are dropped.
   *
   * @throws {PacketValueError} for a length that the address does not have
   */
  constructor(address: IpAddress, length: number) {
    const bytes = ipBytes(address);
    if (!Number.isInteger(length) || length < 0 || length > bytes.length * 8) {
      throw new PacketValueError(`prefix of ${formatIp(bytes)}: length is ${length}, wanted 0 to ${bytes.length * 8}`);
    }
    this.address = bytes.map((byte, index) => byte & maskByte(length, index));
    this.length = length;
  }

  /**
   * Reads `ADDRESS/LENGTH`, or an address alone, which is the block of that one address.
   *
   * @throws {PacketValueError} for anything else, and for bits set behind the prefix (`10.0.0.1/8`): who writes that
   * may have meant another block
   */
  static parse(text: string): Prefix {
    const slash = text.indexOf("/");
    const address = tryParseIp(slash < 0 ? text : text.slice(0, slash));
    const digits = slash < 0 ? String((address?.length ?? 0) * 8) : text.slice(slash + 1);
    if (address === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(digits)) {
      throw new PacketValueError(`"${shorten(text)}" is no prefix, which looks like 10.0.0.0/8 or 2001:db8::/32`);
    }
    const prefix = new Prefix(address, Number(digits));
    if (compareBytes(prefix.address, address) !== 0) {
      throw new PacketValueError(`prefix ${text}: bits are set behind the first ${digits}; did you mean ${prefix}?`);
    }
    return prefix;
  }

  /** 4 or 6. */
  get version(): 4 | 6 {
    return this.address.length === 4 ? 4 : 6;
  }

  /** The mask: ones for the shared bits, such as `255.0.0.0` as bytes. */
  get mask(): Uint8Array {
    return this.address.map((_, index) => maskByte(this.length, index));
  }

  /** The last address of the block, as bytes; of an IPv4 network its broadcast address. */
  get last(): Uint8Array {
    return this.address.map((byte, index) => byte | (~maskByte(this.length, index) & 0xff));
  }

  /**
   * Whether an address, or all of another block, lies in this one. An IPv4-mapped IPv6 address is an IPv6 address here.
   *
   * @throws {PacketValueError} when text is no address
   */
  contains(other: IpAddress | Prefix): boolean {
    const isPrefix = other instanceof Prefix;
    if (isPrefix && other.length < this.length) return false;
    const bytes = isPrefix ? other.address : ipBytes(other);
    if (bytes.length !== this.address.length) return false;
    const whole = this.length >>> 3;
    for (let index = 0; index < whole; index++) if (bytes[index] !== this.address[index]) return false;
    return ((bytes[whole] ?? 0) & maskByte(this.length, whole)) === (this.address[whole] ?? 0);
  }

  /** Whether the blocks have an address in common: then one contains the other. */
  overlaps(other: Prefix): boolean {
    return this.contains(other) || other.contains(this);
  }

  /** Whether both are the same block. */
  equals(other: Prefix): boolean {
    return Prefix.compare(this, other) === 0;
  }

  /** Order for `Array.sort`: IPv4 first, then by first address, then the larger block first. */
  static compare(left: Prefix, right: Prefix): number {
    return compareBytes(left.address, right.address) || left.length - right.length;
  }

  toString(): string {
    return `${formatIp(this.address)}/${this.length}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** The mask's byte at an index. */
function maskByte(length: number, index: number): number {
  return (0xff00 >>> Math.min(Math.max(length - index * 8, 0), 8)) & 0xff;
}
