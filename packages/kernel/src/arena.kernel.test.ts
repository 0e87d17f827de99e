// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import { pageSize } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { newerThanKernel } from "./minimum-version.ts";

const object = "../../ebpf/test-objects/arena";

describe("variables in an arena", () => {
  it("are what the object says when its programs run, and what they leave in them after", (ctx) => {
    using loaded = orSkip(ctx, () => loadObject(object), newerThanKernel("6.9") && "arenas need Linux 6.9");
    const { collection } = loaded;
    expect(collection.variable("text").get()).toBe("arena");
    expect(loaded.program("touch").run({}).returned).toBe(7 + "a".charCodeAt(0));
    expect(collection.variable("counter").get()).toBe(7);
    expect(collection.variable("corner").get()).toEqual({ x: 40, y: 4 });
    expect(collection.variable("zero").get()).toBe(1n);

    collection.variable("counter").set(100);
    expect(loaded.program("touch").run({}).returned).toBe(102 + "a".charCodeAt(0));
    expect(loaded.program("touch").run({}).returned).toBe(104 + "a".charCodeAt(0));
  });

  it("begin with values that are given", (ctx) => {
    const variables = { counter: 40, text: "z", corner: { x: 0, y: -1 } };
    using loaded = orSkip(
      ctx,
      () => loadObject(object, { variables }),
      newerThanKernel("6.9") && "arenas need Linux 6.9",
    );
    expect(loaded.program("touch").run({}).returned).toBe(42 + "z".charCodeAt(0));
    expect(loaded.collection.variable("corner").get()).toEqual({ x: -10, y: -1 });
  });

  it("share one mapping, which outlives the map while a memory is open", (ctx) => {
    using loaded = orSkip(ctx, () => loadObject(object), newerThanKernel("6.9") && "arenas need Linux 6.9");
    using memory = loaded.collection.map("arena").memory();
    using again = loaded.collection.map("arena").memory();
    expect(memory.bytes.length).toBe(16 * pageSize());
    memory.bytes[0] = 9;
    expect(again.bytes[0]).toBe(9);
    loaded[Symbol.dispose]();
    expect(memory.bytes[0]).toBe(9);
  });

  it("need as many pages as they fill", (ctx) => {
    const spec = objectSpec(object);
    const arena = spec.maps.get("arena");
    if (arena !== undefined) arena.maxEntries = 1;
    let refusal: unknown;
    const attempt = (): void => {
      try {
        loadObject(object, {}, spec)[Symbol.dispose]();
      } catch (error) {
        if (!(error instanceof InvalidValueError)) throw error;
        refusal = error.message;
      }
    };
    orSkip(ctx, attempt, newerThanKernel("6.9") && "arenas need Linux 6.9");
    expect(refusal).toMatch(new RegExp(`^map "arena": its variables take \\d+ bytes, the arena has ${pageSize()}$`));
  });
});
