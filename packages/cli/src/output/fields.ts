// SPDX-License-Identifier: Apache-2.0

import { printable } from "./safe-text.ts";
import { layOut, width } from "./table.ts";

/** Names with their values below each other, for one thing; those without a value are left out. */
export function formatFields(fields: readonly (readonly [name: string, value: string | undefined])[]): string {
  const present = fields.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, value] as const],
  );
  const widest = Math.max(0, ...present.map(([name]) => width(name)));
  return present.map(([name, value]) => `${layOut([name, printable(value)], [widest])}\n`).join("");
}
