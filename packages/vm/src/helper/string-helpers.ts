// SPDX-License-Identifier: Apache-2.0

import { accessFault } from "../vm-fault.ts";
import { Errno } from "./errno.ts";
import type { Helper } from "./helper.ts";

/** The kernel copies so many bytes of a number to look at them. */
const NUMBER_BYTES = 63;
const U64_END = 1n << 64n;
const S64_END = 1n << 63n;

/** `bpf_strtol`, `bpf_strtoul` and `bpf_strncmp` (kernel/bpf/helpers.c, lib/kstrtox.c). */
export function stringHelpers(): Helper[] {
  return [
    {
      id: 105,
      name: "strtol",
      parameters: [{ readSized: 1 }, "u64", "u64", { write: 8 }],
      result: "i32",
      call: (_frame, text: Uint8Array, _length: number, flags: number, target: Uint8Array) => {
        const parsed = parseNumber(text, flags);
        const { value, negative } = parsed;
        const tooLarge = value > S64_END || (value === S64_END && !negative);
        const consumed = parsed.consumed > 0 && tooLarge ? -Errno.ERANGE : parsed.consumed;
        store(target, consumed < 0 ? 0n : negative ? -value : value);
        return consumed;
      },
    },
    {
      id: 106,
      name: "strtoul",
      parameters: [{ readSized: 1 }, "u64", "u64", { write: 8 }],
      result: "i32",
      call: (_frame, text: Uint8Array, _length: number, flags: number, target: Uint8Array) => {
        const parsed = parseNumber(text, flags);
        const consumed = parsed.consumed > 0 && parsed.negative ? -Errno.EINVAL : parsed.consumed;
        store(target, consumed < 0 ? 0n : parsed.value);
        return consumed;
      },
    },
    {
      id: 182,
      name: "strncmp",
      parameters: [{ readSized: 1 }, "u32", "address"],
      result: "i32",
      call: ({ memory }, first: Uint8Array, size: number, second: number) => {
        for (let i = 0; i < size; i++) {
          if (!memory.mayAccess(second + i, 1, "read")) throw accessFault(memory, "read", second + i, 1);
          const a = first[i] as number;
          const b = memory.bytes[memory.index(second) + i] as number;
          if (a !== b) return a < b ? -1 : 1;
          if (a === 0) return 0;
        }
        return 0;
      },
    },
  ];
}

/** Bytes consumed or a negative errno, and what was read. `flags` is the base: 8, 10, 16, or 0 for what the prefix says. */
function parseNumber(
  text: Uint8Array,
  flags: number,
): { readonly consumed: number; readonly value: bigint; readonly negative: boolean } {
  const refusal = (errno: number) => ({ consumed: -errno, value: 0n, negative: false });
  if (flags !== 0 && flags !== 8 && flags !== 10 && flags !== 16) return refusal(Errno.EINVAL);
  let start = 0;
  while (start < text.length && isSpace(text[start])) start++;
  const negative = text[start] === 0x2d;
  if (negative) start++;
  const number = String.fromCharCode(...text.subarray(start, start + NUMBER_BYTES));
  const base = flags !== 0 ? flags : /^0x[0-9a-f]/i.test(number) ? 16 : number.startsWith("0") ? 8 : 10;
  const prefix = base === 16 && /^0x/i.test(number) ? 2 : 0;
  const digits =
    (base === 16 ? /^[0-9a-f]*/i : base === 10 ? /^[0-9]*/ : /^[0-7]*/).exec(number.slice(prefix))?.[0] ?? "";
  if (digits === "") return refusal(Errno.EINVAL);
  const value = BigInt(base === 16 ? `0x${digits}` : base === 8 ? `0o${digits}` : digits);
  if (value >= U64_END) return refusal(Errno.ERANGE);
  return { consumed: start + prefix + digits.length, value, negative };
}

/** The kernel's table of characters is Latin-1: a no-break space is white. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0xa0 || (byte !== undefined && byte >= 9 && byte <= 13);
}

function store(target: Uint8Array, value: bigint): void {
  new DataView(target.buffer, target.byteOffset, 8).setBigUint64(0, BigInt.asUintN(64, value), true);
}
