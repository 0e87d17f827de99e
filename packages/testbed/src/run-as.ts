// SPDX-License-Identifier: Apache-2.0

/** `daemon`: an account that every Debian has and nothing runs as. PostgreSQL insists on one with a name. */
export const TEST_USER = 1;

/**
 * The command line that runs a program as {@link TEST_USER} with these capabilities alone (`bpf`, `perfmon`, …),
 * by setpriv(1). Needs root.
 */
export function asUser(capabilities: readonly string[], command: readonly string[]): string[] {
  const set = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  return [
    "setpriv",
    ...["--reuid", String(TEST_USER), "--regid", String(TEST_USER), "--clear-groups"],
    ...[`--bounding-set=${set}`, `--inh-caps=${set}`, `--ambient-caps=${set}`],
    ...command,
  ];
}
