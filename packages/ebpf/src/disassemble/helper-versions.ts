// SPDX-License-Identifier: Apache-2.0

/** Each version with the last helper that it brought: helpers are numbered in the order in which they came. */
const versions: readonly (readonly [last: number, version: string])[] = [
  ...([
    [3, "3.19"],
    [11, "4.1"],
    [16, "4.2"],
    [22, "4.3"],
    [25, "4.4"],
    [26, "4.5"],
    [30, "4.6"],
  ] as const),
  ...([
    [36, "4.8"],
    [41, "4.9"],
    [44, "4.10"],
    [45, "4.11"],
    [47, "4.12"],
    [50, "4.13"],
    [53, "4.14"],
    [57, "4.15"],
  ] as const),
  ...([
    [59, "4.16"],
    [64, "4.17"],
    [80, "4.18"],
    [83, "4.19"],
    [90, "4.20"],
    [92, "5.0"],
    [98, "5.1"],
    [108, "5.2"],
  ] as const),
  ...([
    [109, "5.3"],
    [110, "5.4"],
    [115, "5.5"],
    [118, "5.6"],
    [124, "5.7"],
    [135, "5.8"],
    [141, "5.9"],
    [155, "5.10"],
  ] as const),
  ...([
    [162, "5.11"],
    [163, "5.12"],
    [165, "5.13"],
    [168, "5.14"],
    [175, "5.15"],
    [179, "5.16"],
    [185, "5.17"],
    [193, "5.18"],
  ] as const),
  ...([
    [203, "5.19"],
    [207, "6.0"],
    [209, "6.1"],
    [211, "6.2"],
  ] as const),
];

/** The first kernel with a helper, such as `5.8` for 131 (`ringbuf_reserve`); undefined for a number that no kernel has. */
export function helperVersion(id: number): string | undefined {
  return id <= 0 ? undefined : versions.find(([last]) => id <= last)?.[1];
}
