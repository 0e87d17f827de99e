// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { isSystemCallError } from "@skep/linux";
import { beforeAll, describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject } from "../packages/kernel/test-objects/load-object.ts";
import { withFault } from "./with-fault.ts";

const never = Number.POSITIVE_INFINITY;
const { EPERM, EINVAL, ENOSPC, EINTR } = constants.errno;
const mappings = (): number => readFileSync("/proc/self/maps", "latin1").match(/anon_inode/g)?.length ?? 0;

/** Everything between an object and its end: what a program does that loads, attaches, reads and closes. */
const lives: Readonly<Record<string, () => void>> = {
  "maps of many types": () => {
    using _ = loadObject("maps-special");
  },
  "variables and a frozen section": () => {
    using object = loadObject("maps");
    for (const name of object.collection.maps.keys()) if (name.startsWith(".")) object.kernelMap(name).memory().close();
  },
  "a ring and a perf buffer with their readers": () => {
    using object = loadObject("records");
    using ring = object.kernelMap("ring").records();
    using perf = object.kernelMap("perf").records();
    object.run("fill_ring", 2);
    expect(ring.poll()?.count).toBe(2);
    perf.poll();
  },
  "programs and their links": () => {
    using object = loadObject("links", { variables: { wanted: "nobody" } });
    // The others are perf events, which the kernel takes long to close.
    for (const { spec } of object.collection.programs.values()) {
      if (/^(raw_tp|tp_btf)/.test(spec.section)) object.collection.program(spec.name).attach();
    }
  },
};

describe.each(Object.entries(lives))("%s", (_, live) => {
  let calls = 0;
  let before: { descriptors: string[]; mappings: number };

  beforeAll(() => {
    // Once without a fault: what is opened once for the whole process is open from then on.
    calls = withFault(never, 0, live);
    before = { descriptors: kernelDescriptors(), mappings: mappings() };
  });

  it.each(Object.entries({ EPERM, EINVAL, ENOSPC, EINTR }))(
    "leaves no descriptor and no mapping, whichever of its system calls answers %s",
    (_, errno) => {
      expect(calls).toBeGreaterThan(10);
      let refused = 0;
      for (let position = 0; position < calls; position++) {
        try {
          withFault(position, errno, live);
        } catch (error) {
          refused++;
          expect(error, `call ${position}`).toBeInstanceOf(Error);
          expect(isSystemCallError(causeOf(error)), `call ${position}: ${error}`).toBe(true);
        }
        expect(kernelDescriptors(), `call ${position} of ${calls}`).toEqual(before.descriptors);
        expect(mappings(), `call ${position} of ${calls}`).toBe(before.mappings);
      }
      // A call that is interrupted is made again; other errors are told, but for those of closing.
      if (errno !== EINTR) expect(refused).toBeGreaterThan(3);
    },
  );
});

/** The error at the bottom of it. */
function causeOf(error: unknown): unknown {
  const within =
    error instanceof SuppressedError
      ? error.error
      : error instanceof Error && error.cause !== undefined
        ? error.cause
        : undefined;
  return within === undefined ? error : causeOf(within);
}
