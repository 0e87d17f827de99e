// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { FunctionWriter, WriteBlock } from "./function-writer.ts";
import { packetKinds } from "./opcode-kinds.ts";
import { SCALAR } from "./registers.ts";
import { number32 } from "./values.ts";
import { writeSource } from "./write-maps.ts";

const LDXW = 0x61;
const STW = 0x62;
const STXW = 0x63;
const ADD_REGISTER = 0x0f;
const SUB_REGISTER = 0x1f;
const Condition = { JGT: 0x2d, JGE: 0x3d, JLT: 0xad, JLE: 0xbd } as const;
const XDP_DATA = 0;
const BUFFER_DATA = 76;

/** Fields of `struct __sk_buff`: where they are, and which types may write them. */
const FIELDS: readonly (readonly [offset: number, socketFilter: "" | "r" | "w", traffic: "r" | "w"])[] = [
  [0, "r", "r"],
  [4, "r", "r"],
  [8, "r", "w"],
  [12, "r", "r"],
  [16, "r", "r"],
  [20, "r", "r"],
  [24, "r", "r"],
  [28, "r", "r"],
  [32, "r", "w"],
  [40, "r", "r"],
  [44, "r", "w"],
  [48, "w", "w"],
  [52, "w", "w"],
  [56, "w", "w"],
  [60, "w", "w"],
  [64, "w", "w"],
  [72, "", "w"],
  [160, "", "r"],
  [164, "r", "r"],
];
const CB_FIRST = 48;
const CB_LAST = 64;

/** Pointers into the packet and a block where so many bytes of it are known to be there. */
export function writePacketPointer(f: FunctionWriter, writeBlock: WriteBlock): void {
  if (f.program.type === ProgramType.SOCKET_FILTER || f.depth >= 4) return;
  const free = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((i) => !f.locked.has(i));
  const take = (): number => free.splice(f.random.below(free.length), 1)[0] ?? 0;
  const [data, end, limit] = [take(), take(), take()];
  const field = f.program.type === ProgramType.XDP ? XDP_DATA : BUFFER_DATA;
  f.loadContext(limit);
  f.emit({ opcode: LDXW, destination: data, source: limit, offset: field });
  f.emit({ opcode: LDXW, destination: end, source: limit, offset: field + 4 });
  for (const register of [data, end, limit]) f.set(register, undefined);
  if (f.random.below(4) === 0) {
    const index = f.scalars.find((i) => !f.locked.has(i));
    if (index !== undefined) {
      f.mask(index, f.random.pick([7, 15, 31, 63]));
      f.emit({ opcode: ADD_REGISTER, destination: data, source: index });
    }
  }
  const room = f.random.pick([1, 2, 4, 8, 14, 20, 34]);
  f.move(limit, data);
  f.add(limit, room);
  const short = f.label();
  const [opcode, destination, source] = f.random.pick([
    [Condition.JGT, limit, end],
    [Condition.JLT, end, limit],
    // Here the last byte is given away.
    [Condition.JGE, limit, end],
    [Condition.JLE, end, limit],
  ] as const);
  f.emit({ opcode, destination, source, target: short });
  f.open(short);
  f.set(data, { kind: "memory", of: "packet", before: 0, room });
  if (f.random.below(4) === 0) {
    f.emit({ opcode: SUB_REGISTER, destination: end, source: data });
    f.set(end, SCALAR);
  }
  f.depth++;
  writeBlock(f, 1 + f.random.below(6));
  f.depth--;
  f.close(short);
}

/** A helper that knows packets. */
export function writePacketCall(f: FunctionWriter): void {
  switch (f.program.type) {
    case ProgramType.XDP:
      writeFrameCall(f);
      break;
    case ProgramType.SOCKET_FILTER:
      writeLoadBytes(f);
      break;
    default:
      if (f.random.below(4) === 0) writeLoadBytes(f);
      else writeBufferCall(f);
  }
}

const AdjustHelper = { HEAD: 44, META: 54, TAIL: 65 } as const;
const CSUM_DIFF = 28;
const XDP_GET_BUFF_LEN = 188;
const XDP_LOAD_BYTES = 189;
const XDP_STORE_BYTES = 190;

function writeFrameCall(f: FunctionWriter): void {
  switch (f.random.below(6)) {
    case 0:
    case 1: {
      const helper = f.random.pick([AdjustHelper.HEAD, AdjustHelper.TAIL, AdjustHelper.HEAD, AdjustHelper.TAIL]);
      f.moveImmediate(2, f.random.below(64) - 32);
      f.loadContext(1);
      f.helper(helper);
      f.forget("packet");
      break;
    }
    case 2:
      f.loadContext(1);
      f.helper(XDP_GET_BUFF_LEN);
      break;
    case 3:
    case 4: {
      const size = f.random.pick([1, 2, 4, 8, 16]);
      const store = f.random.below(2) === 0;
      writeSource(f, 3, size > 8 ? 16 : 8);
      f.moveImmediate(2, f.random.below(40));
      f.moveImmediate(4, size);
      f.loadContext(1);
      f.helper(store ? XDP_STORE_BYTES : XDP_LOAD_BYTES);
      if (store) f.forget("packet");
      break;
    }
    default:
      writeChecksum(f);
  }
}

/** bpf_csum_diff of some bytes from and to. */
function writeChecksum(f: FunctionWriter): void {
  const seed = f.scalar(1, 2, 3, 4);
  if (seed === 5) f.set(5, SCALAR);
  else f.move(5, seed);
  for (const [pointer, size] of [
    [1, 2],
    [3, 4],
  ] as const) {
    const length = f.random.pick([0, 4, 8, 12, 16]);
    if (length === 0) f.moveImmediate(pointer, 0);
    else writeSource(f, pointer, 16);
    f.moveImmediate(size, length);
  }
  f.helper(CSUM_DIFF);
}

const SKB_LOAD_BYTES = 26;

function writeLoadBytes(f: FunctionWriter): void {
  writeSource(f, 3, 16);
  f.moveImmediate(2, f.random.below(60));
  f.moveImmediate(4, 1 + f.random.below(16));
  f.loadContext(1);
  f.helper(SKB_LOAD_BYTES);
}

const BufferHelper = {
  ...{ STORE_BYTES: 9, L3_CSUM_REPLACE: 10, L4_CSUM_REPLACE: 11, VLAN_PUSH: 18, VLAN_POP: 19 },
  ...{ CHANGE_TAIL: 38, PULL_DATA: 39, CHANGE_HEAD: 43 },
} as const;

function writeBufferCall(f: FunctionWriter): void {
  const numbers = (...values: readonly number[]): void => {
    for (const [i, value] of values.entries()) f.moveImmediate(2 + i, value);
  };
  const call = (helper: number): void => {
    f.loadContext(1);
    f.helper(helper);
    f.forget("packet");
  };
  switch (f.random.below(7)) {
    case 0:
    case 1: {
      writeSource(f, 3, 16);
      f.moveImmediate(2, f.random.below(40));
      f.moveImmediate(4, 1 + f.random.below(16));
      f.moveImmediate(5, f.random.pick([0, 1, 2]));
      call(BufferHelper.STORE_BYTES);
      break;
    }
    case 2:
      numbers(f.random.below(40), number32(f.random), number32(f.random), f.random.pick([0, 2, 4]));
      call(BufferHelper.L3_CSUM_REPLACE);
      break;
    case 3:
      numbers(f.random.below(40), number32(f.random), number32(f.random), f.random.pick([0, 2, 4, 0x12, 0x22]));
      call(BufferHelper.L4_CSUM_REPLACE);
      break;
    case 4:
      writeChecksum(f);
      break;
    case 5:
      numbers(f.random.below(80));
      call(BufferHelper.PULL_DATA);
      break;
    default:
      numbers(14 + f.random.below(100), 0);
      call(BufferHelper.CHANGE_TAIL);
  }
}

/** A field of the context, read or written. */
export function writeContextAccess(f: FunctionWriter): void {
  const base = f.target();
  if (f.program.type === ProgramType.XDP) {
    f.loadContext(base);
    const destination = f.target();
    f.emit({ opcode: LDXW, destination, source: base, offset: f.random.pick([12, 16]) });
    f.set(destination, SCALAR);
    return;
  }
  const filter = f.program.type === ProgramType.SOCKET_FILTER;
  const fields = FIELDS.filter(([, socketFilter]) => !filter || socketFilter !== "");
  const [offset, ofFilter, ofTraffic] = f.random.pick(fields);
  if ((filter ? ofFilter : ofTraffic) === "w" && f.random.below(2) === 0) {
    const source = f.scalar(base);
    f.loadContext(base);
    f.emit(
      f.random.below(4) === 0
        ? { opcode: STW, destination: base, offset, immediate: number32(f.random) }
        : { opcode: STXW, destination: base, source, offset },
    );
    // The kernel may have kept less of it.
    if (f.random.below(2) === 0) return;
  }
  f.loadContext(base);
  const destination = f.target();
  // Parts of a field, too; but not of those that are computed.
  const narrow = offset < CB_FIRST || offset > CB_LAST ? 0 : f.random.below(3);
  const opcode = [LDXW, 0x69, 0x71][narrow] ?? LDXW;
  f.emit({ opcode, destination, source: base, offset });
  f.set(destination, SCALAR);
}

/**
 * `ldabs` and `ldind`, which end the program when they are beyond the packet. Not in functions: Linux 6.18 refuses them
 * there at times, as a bug of its verifier.
 */
export function writePacketLoad(f: FunctionWriter): void {
  if (!f.isMain || f.locked.has(6)) return;
  const kind = f.random.pick(packetKinds);
  const immediate = f.random.below(16) === 0 ? f.random.below(80) : f.random.below(10);
  const indirect = kind.opcode >= 0x40;
  const source = indirect ? f.variable(6) : 0;
  if (indirect) f.mask(source, f.random.pick([1, 3, 3, 7]));
  f.loadContext(6);
  f.emit({ opcode: kind.opcode, source, immediate });
  f.clobber();
  f.set(0, SCALAR);
  f.left = true;
}
