// SPDX-License-Identifier: Apache-2.0

/** Columns of a terminal in which every table fits. */
const WIDE = 100;

/** Columns of the terminal that standard output is; undefined when it is none. */
export function terminalWidth(): number | undefined {
  return process.stdout.columns;
}

/** Whether tables should leave out what matters least. Files and pipes get everything. */
export function isNarrow(): boolean {
  return (terminalWidth() ?? WIDE) < WIDE;
}
