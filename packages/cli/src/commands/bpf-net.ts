// SPDX-License-Identifier: Apache-2.0

import { listPrograms, networkAttachments } from "@skep/kernel";
import { type OutputFormat, printList } from "../output/format.ts";

/** `skep bpf net`: what is attached to the network interfaces and to the network namespace, in the order in which it runs. */
export async function bpfNet({ output }: { readonly output: OutputFormat }): Promise<void> {
  const names = new Map(listPrograms().map(({ id, name }) => [id, name]));
  const attached = networkAttachments().map((each) => ({ ...each, program: names.get(each.programId) ?? "" }));
  await printList(attached, output, ["INTERFACE", "PLACE", "PROGRAM", "ID", "LINK", "DETAIL"], (each) => [
    each.interface ?? "",
    each.place,
    each.program,
    String(each.programId),
    String(each.linkId ?? ""),
    each.detail,
  ]);
}
