// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import type { VmMap } from "../map/vm-map.ts";
import { VmFault } from "../vm-fault.ts";
import { TestFrame } from "./helper.test-kit.ts";
import type { Helper, HelperParameter, HelperResult } from "./helper.ts";
import { helperImport } from "./helper-import.ts";

const frame = new TestFrame();
const theMap = { address: 0x20000 } as unknown as VmMap;
type Raw = number | bigint;

/** What a helper of these parameters is called with, or the fault. */
function received(parameters: readonly HelperParameter[], ...raw: readonly Raw[]): unknown[] | VmFault {
  let seen: unknown[] = [];
  const helper: Helper = {
    id: 0x1000,
    name: "see",
    parameters,
    result: "void",
    call: (_frame, ...values) => {
      seen = values;
    },
  };
  const imported = helperImport(helper, frame, (address) => (address === 0x20000 ? theMap : undefined));
  try {
    (imported.function as (...args: Raw[]) => void)(...raw);
  } catch (error) {
    if (error instanceof VmFault) return error;
    throw error;
  }
  return seen.slice(0, parameters.length);
}

describe("helperImport", () => {
  test("says what a module passes and gets", () => {
    const parameters: HelperParameter[] = ["u32", "i64", "bigint", "map", { readSized: 0 }];
    const types = (result: HelperResult) => {
      const { parameters: passed, result: given } = helperImport(
        { id: 0, name: "x", parameters, result, call: () => 0 },
        frame,
        () => undefined,
      );
      expect(passed).toEqual(["i32", "f64", "i64", "f64", "f64"]);
      return given;
    };
    const results = (["i32", "u32", "i64", "u64", "address", "bigint", "void"] as const).map(types);
    expect(results).toEqual(["i32", "i32", "f64", "f64", "f64", "i64", undefined]);
  });

  test("numbers arrive as their kinds say, whatever their count", () => {
    const kinds: HelperParameter[] = ["u32", "i32", "u64", "bigint", "address"];
    const raw: Raw[] = [-1, -1, 2 ** 40, -1n, 2 ** 63];
    const wanted = [2 ** 32 - 1, -1, 2 ** 40, 2n ** 64n - 1n, 2 ** 63];
    for (let count = 0; count <= 5; count++) {
      expect(received(kinds.slice(0, count), ...raw.slice(0, count))).toEqual(wanted.slice(0, count));
    }
  });

  test("memory is checked and seen as bytes, with its size on either side", () => {
    const at = frame.put(Uint8Array.of(1, 2, 3, 4));
    expect(received([{ read: 2 }], at)).toEqual([Uint8Array.of(1, 2)]);
    expect(received([{ readSized: 1 }, "u32"], at, 3)).toEqual([Uint8Array.of(1, 2, 3), 3]);
    expect(received(["u64", { readSized: 0 }], 4, at)).toEqual([4, Uint8Array.of(1, 2, 3, 4)]);
    expect(received(["u32", "u32", "u32", { writeSized: 4 }, "u32"], 0, 0, 0, at, 1)).toEqual([
      0,
      0,
      0,
      Uint8Array.of(1),
      1,
    ]);
    // Nothing is touched where nothing is.
    expect(received([{ readSized: 1 }, "u32"], 7, 0)).toEqual([new Uint8Array(0), 0]);
  });

  test("memory that is not the program's is a fault", () => {
    const end = frame.page + 4096;
    const fault = (parameter: HelperParameter, address: number, size = 0) =>
      received([parameter, "u32"], address, size);
    expect(fault({ read: 8 }, 0)).toMatchObject({
      reason: "memory",
      what: "read 8 bytes at 0x0, where there is no memory",
    });
    expect(fault({ read: 8 }, end - 7)).toMatchObject({ reason: "region", address: end - 7 });
    expect(fault({ write: 1 }, 2 ** 32 + frame.page)).toMatchObject({ reason: "memory" });
    expect(fault({ readSized: 1 }, frame.page, -1)).toMatchObject({ reason: "memory" });
    expect(fault({ writeSized: 1 }, end, 1)).toMatchObject({ reason: "region" });
  });

  test("a null pointer is undefined where it may be", () => {
    expect(received([{ readSized: 1, nullable: true }, "u32"], 0, 8)).toEqual([undefined, 8]);
    expect(received([{ write: 8, nullable: true }], 0)).toEqual([undefined]);
  });

  test("maps are found by their address, the context is the run's", () => {
    expect(received(["map"], 0x20000)).toEqual([theMap]);
    expect(received(["map"], 0x20008)).toMatchObject({
      reason: "helper",
      what: "argument 1 of bpf_see is 0x20008, which is no map",
    });
    frame.state.context = 0x30000;
    expect(received(["u32", "context"], 1, 0x30000)).toEqual([1, 0x30000]);
    expect(received(["u32", "context"], 1, 0x30004)).toMatchObject({
      what: "argument 2 of bpf_see is 0x30004, which is not the context",
    });
  });

  test("what a helper throws is the cause of a fault, and faults stay what they are", () => {
    for (const count of [0, 1, 2, 3]) {
      const thrown = (error: unknown) => {
        const parameters = Array<HelperParameter>(count).fill("u32");
        const call = () => {
          throw error;
        };
        const imported = helperImport({ id: 0, name: "bad", parameters, result: "i32", call }, frame, () => undefined);
        return expect(() => (imported.function as () => void)());
      };
      const cause = new TypeError("oops");
      thrown(cause).toThrow(
        expect.objectContaining({
          code: "ERR_VM_FAULT",
          reason: "helper",
          what: "bpf_bad threw TypeError: oops",
          cause,
        }),
      );
      thrown("text").toThrow(expect.objectContaining({ what: "bpf_bad threw text" }));
      const fault = new VmFault("fuel", "no fuel");
      thrown(fault).toThrow(fault);
      const trap = new WebAssembly.RuntimeError("unreachable");
      thrown(trap).toThrow(trap);
    }
  });
});
