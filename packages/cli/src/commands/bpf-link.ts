// SPDX-License-Identifier: Apache-2.0

import type { LinkInfo } from "@skep/ebpf";
import { listLinks, listPrograms, type ObjectHolder, ObjectHolders } from "@skep/kernel";
import { chooseLink } from "../bpf/choose-object.ts";
import { describeLink, formatHolders } from "../bpf/describe.ts";
import { pinObject } from "../bpf/pin-object.ts";
import { formatFields } from "../output/fields.ts";
import { type OutputFormat, printData, printList } from "../output/format.ts";
import { print } from "../output/print.ts";

interface Output {
  readonly output: OutputFormat;
}

/** A link as the commands print it. */
interface ListedLink {
  readonly link: LinkInfo;
  readonly program: string;
  readonly processes: readonly ObjectHolder[];
}

/** `skep bpf link list`: what is attached by a link, anywhere on the machine. */
export async function bpfLinkList({ output }: Output): Promise<void> {
  const links = describe(listLinks());
  if (output !== "table") {
    await printData(links.map(plain), output);
    return;
  }
  await printList(links, output, ["ID", "KIND", "PROGRAM", "ATTACHED TO", "PROCESSES"], (each) => [
    String(each.link.id),
    each.link.kind,
    each.program,
    describeLink(each.link),
    formatHolders(each.processes),
  ]);
}

/** `skep bpf link show`: one of them. */
export async function bpfLinkShow(text: string, { output }: Output): Promise<void> {
  const [each] = describe([infoOf(text)]);
  if (each === undefined) return;
  if (output !== "table") {
    await printData(plain(each), output);
    return;
  }
  const { id, kind, programId: _program, ...rest } = each.link;
  const details = Object.entries(rest).filter(([name]) => name !== "attachType");
  await print(
    formatFields([
      ["id", String(id)],
      ["kind", kind],
      ["program", each.program],
      ["attached to", describeLink(each.link)],
      ...details.map(([name, value]) => [words(name), String(value)] as const),
      ["processes", each.processes.map(({ pid, name }) => `${name} (${pid})`).join(", ")],
    ]),
  );
}

/** Gives it up again at once: this command is none of the processes that hold it. */
function infoOf(text: string): LinkInfo {
  using link = chooseLink(text);
  return link.info();
}

/** `skep bpf link pin`: gives it a name in a BPF file system, by which it stays attached. */
export async function bpfLinkPin(text: string, path: string): Promise<void> {
  using link = chooseLink(text);
  pinObject(link, path);
}

/** `skep bpf link detach`: detaches, whoever holds the link. */
export async function bpfLinkDetach(text: string): Promise<void> {
  using link = chooseLink(text);
  link.detach();
}

function describe(links: readonly LinkInfo[]): ListedLink[] {
  const names = new Map(listPrograms().map(({ id, name }) => [id, name]));
  const holders = new ObjectHolders();
  return links.map((link) => {
    const name = names.get(link.programId) ?? "";
    const program = name === "" ? String(link.programId) : `${name} (${link.programId})`;
    return { link, program: link.programId === 0 ? "" : program, processes: holders.of("link", link.id) };
  });
}

function plain({ link, processes }: ListedLink): unknown {
  return { ...link, attachedTo: describeLink(link), processes };
}

/** `attachType` as people read it. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
