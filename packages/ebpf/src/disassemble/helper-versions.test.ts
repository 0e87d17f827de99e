// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { helperName } from "./helper-names.ts";
import { helperVersion } from "./helper-versions.ts";

describe("the first kernel with a helper", () => {
  it.each([
    ["map_lookup_elem", "3.19"],
    ["probe_read_kernel", "5.5"],
    ["ringbuf_reserve", "5.8"],
    ["redirect_peer", "5.10"],
    ["loop", "5.17"],
    ["cgrp_storage_delete", "6.2"],
  ])("%s", (name, version) => {
    const id = Array.from({ length: 212 }, (_, i) => i).find((each) => helperName(each) === name);
    expect(helperVersion(id ?? -1)).toBe(version);
  });

  it("is known of every helper, and of nothing else", () => {
    for (let id = 1; helperName(id) !== undefined; id++) expect(helperVersion(id)).toMatch(/^\d\.\d+$/);
    expect([0, -1, 212, 195_896_080].map(helperVersion)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
