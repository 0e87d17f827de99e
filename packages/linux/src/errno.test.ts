// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { errnoName, errnoNumber } from "./errno.ts";

describe("errno names", () => {
  it("agree with the C library's, as Node knows them", () => {
    // EWOULDBLOCK is EAGAIN and ENOTSUP is EOPNOTSUPP on Linux.
    const aliases = new Set(["EWOULDBLOCK", "ENOTSUP"]);
    for (const [name, number] of Object.entries(constants.errno)) {
      if (aliases.has(name) || errnoName(number).startsWith("errno ")) continue;
      expect(errnoName(number)).toBe(name);
      expect(errnoNumber(name)).toBe(number);
    }
    expect(errnoName(524)).toBe("ENOTSUPP");
    expect(errnoName(9999)).toBe("errno 9999");
  });
});
