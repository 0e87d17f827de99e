// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openBpfObject } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";

const program = fileURLToPath(new URL("../test-objects/adopt-child.ts", import.meta.url));

describe("a descriptor", () => {
  it("is taken over by the process that inherits it: a map, a program, a link", () => {
    using object = loadObject("maps-special", { programs: ["count", "trace_stack"] });
    const map = object.kernelMap<number, { count: bigint; size: number }>("shared");
    using link = object.collection.program("trace_stack").attach();
    using linkFd = openBpfObject("link", link.info().id);
    const { stdout } = spawnSync(process.execPath, ["--conditions=skep-source", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit", map.fd, object.program("count").fd.number, linkFd.number],
    });
    expect(JSON.parse(stdout)).toEqual({
      map: "shared",
      program: "count",
      link: link.info().id,
      refused: "descriptor 4 is of a program, a map is wanted",
      unknown: "descriptor 0 is of a thing unknown, a link is wanted",
    });
    // The child wrote to the map, and ran the program, which counted in it.
    expect(map.lookup(3)).toEqual({ count: 0n, size: 30 });
    expect(map.lookup(999)?.count).toBe(1n);
  });
});
