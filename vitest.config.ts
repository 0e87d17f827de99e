// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";
import { SkipReporter } from "./test/skip-reporter.ts";

/** Packages resolve to their TypeScript sources, so tests need no build. */
// Not "import": it would reach require() too, and pg-pool would hand its ESM to pg.
const conditions = ["skep-source", "node"];

const ownProcess = ["**/*.kernel.test.ts", "**/*.e2e.test.ts"];
const ownServices = ["packages/rows/src/**/*.kernel.test.ts", "packages/{vm,web}/src/**/*.e2e.test.ts"];
const neverTests = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ["default", new SkipReporter()],
    coverage: { provider: "v8", include: ["packages/*/src/**/*.ts"] },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: [...neverTests, ...ownProcess],
          // No isolation: a hundred files in half a second instead of eight. Modules keep no state.
          pool: "threads",
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "services",
          include: ownServices,
          exclude: neverTests,
          // Each starts a PostgreSQL or a browser of its own and mostly waits for it.
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "kernel",
          include: [...ownProcess.map((pattern) => `packages/*/src/${pattern}`), "test/**/*.test.ts"],
          exclude: [...neverTests, ...ownServices],
          // These share one kernel, and count what is in it: one file at a time, each in a process of its own.
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
