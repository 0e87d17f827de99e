// SPDX-License-Identifier: Apache-2.0

import type { Helper, HelperFrame } from "./helper.ts";
import { helperFault } from "./helper-fault.ts";

/** Whether a helper takes nothing but numbers, which come as it is called with them, up to their sign. */
export function isNumeric({ parameters }: Helper): boolean {
  return parameters.every(
    (parameter) =>
      typeof parameter === "string" && parameter !== "bigint" && parameter !== "map" && parameter !== "context",
  );
}

/**
 * Such a helper as an import: the cheapest there is. A function of its own for each count of parameters, for a call with fewer
 * arguments than a function has parameters takes twice as long.
 */
export function numericCall(helper: Helper, frame: HelperFrame): (...args: never[]) => unknown {
  const { call, parameters } = helper;
  // i32 comes with a sign.
  const [uA, uB, uC, uD, uE] = parameters.map((parameter) => parameter === "u32");
  switch (parameters.length) {
    case 0:
      return () => {
        try {
          return call(frame);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
    case 1:
      return (a: number) => {
        try {
          return call(frame, uA ? a >>> 0 : a);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
    case 2:
      return (a: number, b: number) => {
        try {
          return call(frame, uA ? a >>> 0 : a, uB ? b >>> 0 : b);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
    case 3:
      return (a: number, b: number, c: number) => {
        try {
          return call(frame, uA ? a >>> 0 : a, uB ? b >>> 0 : b, uC ? c >>> 0 : c);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
    case 4:
      return (a: number, b: number, c: number, d: number) => {
        try {
          return call(frame, uA ? a >>> 0 : a, uB ? b >>> 0 : b, uC ? c >>> 0 : c, uD ? d >>> 0 : d);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
    default:
      return (a: number, b: number, c: number, d: number, e: number) => {
        try {
          return call(frame, uA ? a >>> 0 : a, uB ? b >>> 0 : b, uC ? c >>> 0 : c, uD ? d >>> 0 : d, uE ? e >>> 0 : e);
        } catch (error) {
          throw helperFault(helper, error);
        }
      };
  }
}
