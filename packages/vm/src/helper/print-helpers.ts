// SPDX-License-Identifier: Apache-2.0

import { accessFault, VmFault } from "../vm-fault.ts";
import { Errno } from "./errno.ts";
import { type FormattedText, formatText } from "./format.ts";
import type { Helper, HelperFrame } from "./helper.ts";
import { stringLength } from "./program-string.ts";

/** MAX_BPRINTF_VARARGS of the kernel. */
const MOST_ARGUMENTS = 12;
/** MAX_BPRINTF_BUF of the kernel; the last byte is a NUL. */
const LINE_BYTES = 1024;
/** Beyond any that a person writes. */
const LONGEST_FORMAT = 65536;

/** What a program prints: `bpf_trace_printk` or `bpf_trace_vprintk`, up to 1023 bytes decoded as UTF-8. */
export type TraceSink = (text: string) => void;

/** `bpf_trace_printk`, `bpf_trace_vprintk`, whose text goes to `trace`, and `bpf_snprintf`. See {@link formatText}. */
export function printHelpers(trace: TraceSink): Helper[] {
  return [
    {
      id: 6,
      name: "trace_printk",
      parameters: [{ readSized: 1 }, "u32", "bigint", "bigint", "bigint"],
      result: "i32",
      call: (frame, format: Uint8Array, _size: number, a: bigint, b: bigint, c: bigint) =>
        print(frame, format, [a, b, c], trace),
    },
    {
      id: 177,
      name: "trace_vprintk",
      parameters: [{ readSized: 1 }, "u32", { readSized: 3, nullable: true }, "u32"],
      result: "i32",
      call: (frame, format: Uint8Array, _size: number, args: Uint8Array | undefined, length: number) => {
        const values = argumentsOf(args, length);
        return values === undefined ? -Errno.EINVAL : print(frame, format, values, trace);
      },
    },
    {
      id: 165,
      name: "snprintf",
      parameters: [{ writeSized: 1, nullable: true }, "u32", "address", { readSized: 4, nullable: true }, "u32"],
      result: "i32",
      call: (
        frame,
        target: Uint8Array | undefined,
        size,
        formatAddress: number,
        args: Uint8Array | undefined,
        length,
      ) => {
        const values = argumentsOf(args, length);
        if (values === undefined) return -Errno.EINVAL;
        const text = formatText(frame.memory, constantString(frame, formatAddress), values);
        if (typeof text === "number") return text;
        if (target !== undefined && size > 0) writeTerminated(text, target);
        return text.length + 1;
      },
    },
  ];
}

/** The values of an array of u64; undefined when it is none, or too long. */
function argumentsOf(bytes: Uint8Array | undefined, length: number): bigint[] | undefined {
  if (length % 8 !== 0 || length > MOST_ARGUMENTS * 8 || (length > 0 && bytes === undefined)) return undefined;
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return Array.from({ length: length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
}

function print(frame: HelperFrame, format: Uint8Array, args: readonly bigint[], trace: TraceSink): number {
  const end = format.indexOf(0);
  if (end === -1) return -Errno.EINVAL;
  const text = formatText(frame.memory, format.subarray(0, end), args);
  if (typeof text === "number") return text;
  const line = new Uint8Array(LINE_BYTES - 1);
  const written = text.write(line);
  // The trace's line is a C string.
  const nul = line.subarray(0, written).indexOf(0);
  trace(new TextDecoder().decode(line.subarray(0, nul === -1 ? written : nul)));
  return text.length;
}

/** The bytes of a format that a program gives without a length; a fault where it may not be read, or does not end. */
function constantString({ memory }: HelperFrame, address: number): Uint8Array {
  const length = stringLength(memory, address, LONGEST_FORMAT);
  if (length === -1) throw accessFault(memory, "read", address, 1);
  if (length === LONGEST_FORMAT) {
    throw new VmFault("helper", `a format at 0x${address.toString(16)} of more than ${LONGEST_FORMAT} bytes`, {
      address,
    });
  }
  return memory.slice(address, length);
}

/** As much as fits before a NUL. */
function writeTerminated(text: FormattedText, target: Uint8Array): void {
  const written = text.write(target.subarray(0, target.length - 1));
  target[written] = 0;
}
