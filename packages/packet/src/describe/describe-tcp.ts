// SPDX-License-Identifier: Apache-2.0

import type { TcpLayer } from "../header/tcp.ts";
import type { TcpFlag } from "../header/tcp-flag.ts";
import type { TcpOption } from "../header/tcp-option.ts";

const LETTERS: Readonly<Record<TcpFlag, string>> = {
  fin: "F",
  syn: "S",
  rst: "R",
  psh: "P",
  ack: ".",
  urg: "U",
  ece: "E",
  cwr: "W",
  ae: "e",
};

/** A TCP header in tcpdump's words; sequence numbers as they are, not relative. */
export function describeTcp(layer: TcpLayer, payload: number): string {
  const letters = layer.flags.map((flag) => LETTERS[flag]).join("");
  const end = payload > 0 ? `:${(layer.sequence + payload) >>> 0}` : "";
  const showsSequence = payload > 0 || layer.flags.some((flag) => flag === "syn" || flag === "fin" || flag === "rst");
  const texts = [`Flags [${letters === "" ? "none" : letters}]`];
  if (showsSequence) texts.push(`seq ${layer.sequence}${end}`);
  if (layer.flags.includes("ack")) texts.push(`ack ${layer.acknowledgment}`);
  texts.push(`win ${layer.window}`);
  if (layer.flags.includes("urg")) texts.push(`urg ${layer.urgentPointer}`);
  if (layer.options.length > 0) texts.push(`options [${layer.options.map(describeOption).join(",")}]`);
  texts.push(`length ${payload}`);
  return texts.join(", ");
}

function describeOption(option: TcpOption): string {
  switch (option.kind) {
    case "nop":
      return "nop";
    case "mss":
      return `mss ${option.value}`;
    case "window-scale":
      return `wscale ${option.shift}`;
    case "sack-permitted":
      return "sackOK";
    case "sack":
      return `sack ${option.blocks.length} ${option.blocks.map(([from, to]) => `{${from}:${to}}`).join("")}`;
    case "timestamps":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "other":
      return `unknown-${option.code}`;
    case "raw":
      return "bad opt";
  }
}
