// SPDX-License-Identifier: Apache-2.0

/** Inherits a map as descriptor 3, a program as 4 and a link as 5; uses them, and tells as JSON what they are. */
import { adoptLink, adoptMap, adoptProgram } from "../src/index.ts";

const refused = complaint(() => adoptMap(4));
const unknown = complaint(() => adoptLink(0));
using map = adoptMap<number, { count: bigint; size: number }>(3);
using program = adoptProgram(4);
using link = adoptLink(5);
map.update(3, { count: 0n, size: 30 });
program.run({ data: new Uint8Array(64) });
const said = { map: map.spec.name, program: program.name, link: link.info().id, refused, unknown };
process.stdout.write(JSON.stringify(said));

function complaint(attempt: () => unknown): string {
  try {
    attempt();
    return "nothing";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
