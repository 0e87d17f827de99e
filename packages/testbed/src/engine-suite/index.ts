// SPDX-License-Identifier: Apache-2.0

/**
 * What every engine must do, as cases that any engine can be put to, in Node and in a browser.
 *
 * @module engine-suite
 */
export { CaseContext, type CaseSources } from "./case-context.ts";
export type { EngineCase, Need } from "./engine-case.ts";
export { engineCases, suiteObjects } from "./engine-cases.ts";
export { runCase } from "./run-case.ts";
