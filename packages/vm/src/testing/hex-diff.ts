// SPDX-License-Identifier: Apache-2.0

/** Bytes on a line. */
const WIDTH = 16;
/** Lines that differ which are shown. */
const MOST = 16;

/**
 * Where bytes differ from what was wanted, in lines of 16 with their offset: `-` what was wanted, `+` what is there, and below
 * each pair marks under what differs. Lines that are alike are left out.
 *
 * ```
 * - 0010  00 28 00 00 00 00 40 06 8e 9b c0 00 02 01 c6 33
 * + 0010  00 28 00 00 00 00 3f 06 8f 9b c0 00 02 01 c6 33
 *                           ^^    ^^
 * ```
 */
export function hexDiff(wanted: Uint8Array, found: Uint8Array): string {
  const lines: string[] = [];
  const end = Math.max(wanted.length, found.length);
  let different = 0;
  for (let at = 0; at < end; at += WIDTH) {
    const left = wanted.subarray(at, at + WIDTH);
    const right = found.subarray(at, at + WIDTH);
    const marks = marksOf(left, right);
    if (marks === "") continue;
    if (++different > MOST) continue;
    const offset = at.toString(16).padStart(4, "0");
    if (left.length > 0) lines.push(`- ${offset}  ${hex(left)}`);
    if (right.length > 0) lines.push(`+ ${offset}  ${hex(right)}`);
    lines.push(`${" ".repeat(8)}${marks}`);
  }
  if (different > MOST) lines.push(`  ${different - MOST} more lines differ`);
  return lines.join("\n");
}

function marksOf(left: Uint8Array, right: Uint8Array): string {
  const length = Math.max(left.length, right.length);
  const marks = Array.from({ length }, (_, i) => (left[i] === right[i] ? "  " : "^^"));
  return marks.join(" ").trimEnd();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
