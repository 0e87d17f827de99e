// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";
import { Errno } from "./errno.ts";
import { stringLength } from "./program-string.ts";

/** Bytes that the kernel has for the arguments of one call, strings among them (MAX_BPRINTF_BIN_ARGS). */
const ARGUMENT_BYTES = 512;
/** The kernel's widths have 24 bits. */
const WIDTH_BITS = 24;

/** A part of the output: padding, a sign, zeros, bytes, padding. */
interface Piece {
  readonly spaces: number;
  readonly sign: string;
  readonly zeros: number;
  /** A char code is a byte. */
  readonly text: string;
  readonly trailing: number;
}

/** Flags and width of a conversion; -1 is no width. */
interface Field {
  readonly left: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number;
}

/** A formatted text that is still to be written. */
export interface FormattedText {
  /** Bytes, without a NUL. */
  readonly length: number;
  /** Writes as many as fit and returns their count. */
  write(target: Uint8Array): number;
}

/**
 * Formats as `bpf_trace_printk` and its kin do (bpf_bprintf_prepare of kernel/bpf/helpers.c, bstr_printf of lib/vsprintf.c),
 * or gives the negative errno that they give:
 *
 * - `%d %i %u %x %X`, with `l` or `ll` for 64 bits; `%c`; `%s`, `%pks`, `%pus` (a string that cannot be read is empty);
 * - `%p %pK %px`: the address in 16 digits. The kernel hashes the first two; here there is nothing to hide;
 * - `%ps %pS %pB`: `0x…`, as the kernel prints an address that no symbol holds;
 * - `%pI4 %pi4 %pI6 %pi6`: the IP address pointed at, zeros when it cannot be read. As in the kernel, letters and digits right
 *   after a `%p…` are swallowed;
 * - flags `-`, `+`, space and `0`, and a width; no precision.
 *
 * -EINVAL: another conversion, more conversions than arguments, bytes beyond ASCII. -ENOSPC: strings beyond 512 bytes in all.
 */
export function formatText(memory: VmMemory, format: Uint8Array, args: readonly bigint[]): FormattedText | number {
  const formatter = new Formatter(memory, format, args);
  const problem = formatter.run();
  if (problem !== 0) return problem;
  const { pieces } = formatter;
  const length = pieces.reduce(
    (sum, { spaces, sign, zeros, text, trailing }) => sum + spaces + sign.length + zeros + text.length + trailing,
    0,
  );
  return { length, write: (target) => writePieces(pieces, target) };
}

class Formatter {
  readonly pieces: Piece[] = [];
  readonly #memory: VmMemory;
  readonly #format: string;
  readonly #args: readonly bigint[];
  #at = 0;
  #taken = 0;
  /** Of the kernel's buffer for arguments. */
  #used = 0;

  constructor(memory: VmMemory, format: Uint8Array, args: readonly bigint[]) {
    this.#memory = memory;
    // A copy, for a decoder takes no shared memory. What is beyond ASCII becomes something beyond ASCII.
    this.#format = new TextDecoder("latin1").decode(format.slice());
    this.#args = args;
  }

  run(): number {
    if (/[^\t-\r -~]/.test(this.#format)) return -Errno.EINVAL;
    const format = this.#format;
    while (this.#at < format.length) {
      const percent = format.indexOf("%", this.#at);
      const end = percent === -1 ? format.length : percent;
      if (end > this.#at) this.#literal(format.slice(this.#at, end));
      if (percent === -1) break;
      this.#at = percent + 1;
      if (format[this.#at] === "%") {
        this.#literal("%");
        this.#at++;
        continue;
      }
      const problem = this.#conversion();
      if (problem !== 0) return problem;
    }
    return 0;
  }

  #conversion(): number {
    const argument = this.#args[this.#taken++];
    if (argument === undefined) return -Errno.EINVAL;
    const field = this.#field();
    const kind = this.#format[this.#at++];
    if (kind === "p") return this.#pointer(field, argument);
    if (kind === "s") return this.#string(field, argument);
    if (kind === "c") {
      if (!this.#take(1, 1)) return -Errno.ENOSPC;
      this.#padded(String.fromCharCode(Number(argument & 0xffn)), field);
      return 0;
    }
    this.#at--;
    const [matched = "", length, conversion] =
      /^(l{0,2})([iduxX])/.exec(this.#format.slice(this.#at, this.#at + 3)) ?? [];
    if (conversion === undefined) return -Errno.EINVAL;
    this.#at += matched.length;
    if (!this.#take(length === "" ? 4 : 8, 4)) return -Errno.ENOSPC;
    this.#integer(field, argument, length === "" ? 32 : 64, conversion);
    return 0;
  }

  #field(): Field {
    const [matched = "", flags = "", digits = ""] = /^([-+ 0]*)(\d*)/.exec(this.#format.slice(this.#at)) ?? [];
    this.#at += matched.length;
    const width = digits === "" ? -1 : (Number(digits) << (32 - WIDTH_BITS)) >> (32 - WIDTH_BITS);
    return {
      left: flags.includes("-"),
      plus: flags.includes("+"),
      space: flags.includes(" "),
      zero: flags.includes("0"),
      width,
    };
  }

  #pointer(field: Field, argument: bigint): number {
    const [, kind = "", next = ""] = /^([a-zA-Z0-9]?)(.?)/s.exec(this.#format.slice(this.#at)) ?? [];
    if ((kind === "k" || kind === "u") && next === "s") {
      this.#at += 2;
      // The string is in the output as it is: widths are for others.
      return this.#string(NO_FIELD, argument);
    }
    if (kind === "" || kind === "K" || kind === "x") {
      if (!this.#take(8, 4)) return -Errno.ENOSPC;
      this.#address(field, argument);
    } else if (kind === "s" || kind === "S" || kind === "B") {
      const text = `0x${argument.toString(16)}`;
      if (!(kind === "B" ? this.#take(text.length + 1, 1) : this.#take(8, 4))) return -Errno.ENOSPC;
      this.#padded(text, kind === "B" ? NO_FIELD : field);
    } else if ((kind === "I" || kind === "i") && (next === "4" || next === "6")) {
      const size = next === "4" ? 4 : 16;
      if (ARGUMENT_BYTES - this.#used < size) return -Errno.ENOSPC;
      const text = ipText(this.#bytes(argument, size), kind === "i");
      if (!this.#take(text.length + 1, 1)) return -Errno.ENOSPC;
      this.#padded(text, NO_FIELD);
    } else {
      return -Errno.EINVAL;
    }
    this.#swallow();
    return 0;
  }

  #string(field: Field, argument: bigint): number {
    const after = this.#format[this.#at];
    if (after !== undefined && /[a-zA-Z0-9]/.test(after)) return -Errno.EINVAL;
    const room = ARGUMENT_BYTES - this.#used;
    if (room === 0) return -Errno.ENOSPC;
    const address = Number(argument);
    // The last byte of the room is for a NUL.
    const length = stringLength(this.#memory, address, room);
    const index = this.#memory.index(address);
    const bytes = length <= 0 ? [] : this.#memory.bytes.subarray(index, index + Math.min(length, room - 1));
    this.#used += bytes.length + 1;
    this.#padded(String.fromCharCode(...bytes), field);
    return 0;
  }

  #integer(field: Field, argument: bigint, bits: number, conversion: string): void {
    const signed = conversion === "d" || conversion === "i";
    const value = signed ? BigInt.asIntN(bits, argument) : BigInt.asUintN(bits, argument);
    const sign = value < 0n ? "-" : !signed ? "" : field.plus ? "+" : field.space ? " " : "";
    const digits = (value < 0n ? -value : value).toString(conversion === "x" || conversion === "X" ? 16 : 10);
    this.#number(field, sign, conversion === "X" ? digits.toUpperCase() : digits);
  }

  #address(field: Field, argument: bigint): void {
    this.#number(field.width === -1 ? { ...field, width: 16, zero: true } : field, "", argument.toString(16));
  }

  #number({ left, zero, width }: Field, sign: string, text: string): void {
    const rest = Math.max(0, width - sign.length - text.length);
    this.pieces.push({
      spaces: left || zero ? 0 : rest,
      sign,
      zeros: zero && !left ? rest : 0,
      text,
      trailing: left ? rest : 0,
    });
  }

  #padded(text: string, { left, width }: Field): void {
    const rest = Math.max(0, width - text.length);
    this.pieces.push({ spaces: left ? 0 : rest, sign: "", zeros: 0, text, trailing: left ? rest : 0 });
  }

  #literal(text: string): void {
    this.#padded(text, NO_FIELD);
  }

  /** Letters and digits after a pointer's conversion are taken for more of it. */
  #swallow(): void {
    const [matched = ""] = /^[a-zA-Z0-9]*/.exec(this.#format.slice(this.#at)) ?? [];
    this.#at += matched.length;
  }

  /** Makes room for an argument as the kernel would. */
  #take(size: number, alignment: number): boolean {
    const start = Math.ceil(this.#used / alignment) * alignment;
    if (start + size > ARGUMENT_BYTES) return false;
    this.#used = start + size;
    return true;
  }

  #bytes(argument: bigint, size: number): Uint8Array {
    const address = Number(argument);
    if (!this.#memory.mayAccess(address, size, "read")) return new Uint8Array(size);
    return this.#memory.slice(address, size);
  }
}

const NO_FIELD: Field = { left: false, plus: false, space: false, zero: false, width: -1 };

/** `1.2.3.4` or `0001:…:0008`; with leading zeros and without colons when `padded`. */
function ipText(bytes: Uint8Array, padded: boolean): string {
  if (bytes.length === 4) return Array.from(bytes, (byte) => `${byte}`.padStart(padded ? 3 : 1, "0")).join(".");
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return padded ? hex : (hex.match(/.{4}/g) ?? []).join(":");
}

function writePieces(pieces: readonly Piece[], target: Uint8Array): number {
  let at = 0;
  const fill = (count: number, byte: number) => {
    target.fill(byte, at, Math.min(at + count, target.length));
    at = Math.min(at + count, target.length);
  };
  const put = (text: string) => {
    for (let i = 0; i < text.length && at < target.length; i++) target[at++] = text.charCodeAt(i);
  };
  for (const { spaces, sign, zeros, text, trailing } of pieces) {
    fill(spaces, 0x20);
    put(sign);
    fill(zeros, 0x30);
    put(text);
    fill(trailing, 0x20);
  }
  return at;
}
