#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";

// In the repository there is source and Node runs it as it is; the published package has only dist.
const source = new URL("../src/main.ts", import.meta.url);
if (existsSync(source)) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ["skep-source", ...context.conditions] }),
  });
  await import(source.href);
} else {
  await import("../dist/main.js");
}
