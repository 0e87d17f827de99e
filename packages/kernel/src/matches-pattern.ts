// SPDX-License-Identifier: Apache-2.0

/** Whether a name matches a pattern of literal text, `*` (any text) and `?` (any one character), as a whole. */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let from = 0;
  while (at < name.length) {
    if (next < pattern.length && pattern[next] === "*") {
      star = next++;
      from = at;
    } else if (next < pattern.length && (pattern[next] === "?" || pattern[next] === name[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      // The last `*` takes one character more.
      next = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  while (pattern[next] === "*") next++;
  return next === pattern.length;
}
