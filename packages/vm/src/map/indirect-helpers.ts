// SPDX-License-Identifier: Apache-2.0

/**
 * The helpers whose first argument is a map, in the order in which each map has its functions in the engine's table: for
 * pointers to maps that only the run knows.
 */
export const indirectHelpers: readonly number[] = [1, 2, 3, 87, 88, 89, 195, 164, 130, 131, 134];
