// SPDX-License-Identifier: Apache-2.0

/**
 * Unit tests for eBPF programs with vitest, without a kernel: `loadForTest` loads an object, `run` feeds packets, matchers judge
 * verdicts, packets, redirects and maps. The same test runs on the kernel when it is given a `KernelEngine`.
 *
 * @module vm/testing
 */
export type { AnyResult } from "./describe-run.ts";
export type { WantedRedirect } from "./judge-redirect.ts";
export { loadForTest, type TestLoadOptions } from "./load-for-test.ts";
export { type BpfMatchers, type Judgement, matchers } from "./matchers.ts";
export { TestApp, type TestAppParts } from "./test-app.ts";
export { TestProgram, type TestRedirect, type TestResult } from "./test-program.ts";
