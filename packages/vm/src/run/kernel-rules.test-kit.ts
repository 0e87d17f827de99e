// SPDX-License-Identifier: Apache-2.0

import { kernelVersion } from "@skep/linux";
import { beforeEach } from "vitest";

const MAJOR = 6;
const MINOR = 18;

/** Skips the tests of a file on kernels older than the one whose rules the engine has. */
export function onlyWithOurRules(): void {
  beforeEach((ctx) => {
    const [major, minor] = kernelVersion();
    if (major < MAJOR || (major === MAJOR && minor < MINOR)) ctx.skip("the engine has the rules of Linux 6.18");
  });
}
