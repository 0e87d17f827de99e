// SPDX-License-Identifier: Apache-2.0

import { parseDuration } from "@skep/rows";
import { type Command, InvalidArgumentError, Option } from "commander";
import { bpfFeatures, featureKinds } from "./commands/bpf-features.ts";
import { bpfLinkDetach, bpfLinkList, bpfLinkPin, bpfLinkShow } from "./commands/bpf-link.ts";
import {
  bpfMapDelete,
  bpfMapDump,
  bpfMapGet,
  bpfMapList,
  bpfMapPin,
  bpfMapSet,
  bpfMapShow,
  bpfMapWatch,
} from "./commands/bpf-map.ts";
import { bpfNet } from "./commands/bpf-net.ts";
import { bpfProgDump, bpfProgList, bpfProgPin, bpfProgShow } from "./commands/bpf-prog.ts";
import { bpfTraceLog } from "./commands/bpf-trace-log.ts";
import { outputOption } from "./output/format.ts";

const which = "its id, name, tag or the path of its pin";
const whichMap = "its id, name or the path of its pin";
const whichLink = "its id, its program's name or the path of its pin";
/** Seconds between two looks at a map. */
const SHORTEST = 0.01;
/** Seconds that a timer of Node can wait; it takes a longer time for none. */
const LONGEST = 24 * 86_400;
const valueNotation = `
Keys and values are numbers (42, 0xff), words or "strings", lists [1, 2] and
structs {field: 1}, as the map's types say; hex:0a0b gives bytes, of any type.
The value of a per-CPU map is a list with one for each CPU, or one for all.
Put -- before a negative number, so that it is no option.`;

/** Adds the commands that look at what the kernel holds, and change it. */
export function addBpfVerbs(bpf: Command): void {
  addProg(bpf.command("prog").description("programs in the kernel"));
  addMap(bpf.command("map").description("maps in the kernel, and their entries"));
  addLink(bpf.command("link").description("what is attached"));
  bpf
    .command("net")
    .description("what is attached to the network interfaces of this network namespace")
    .addOption(outputOption())
    .action(bpfNet);
  bpf
    .command("features")
    .description("what this kernel has of eBPF, tried out")
    .addOption(
      new Option("--kind <kind...>", "only these (default: all but helpers)").choices(Object.keys(featureKinds)),
    )
    .option("--type <program-type>", "helpers of this program type, such as xdp")
    .addOption(outputOption())
    .action(bpfFeatures);
  bpf
    .command("trace-log")
    .description("print what programs write by bpf_printk, until interrupted")
    .addOption(outputOption())
    .action(bpfTraceLog);
}

function addProg(prog: Command): void {
  prog
    .command("list")
    .description("every program, the maps that it uses, the processes that hold it")
    .option("--stats <duration>", "count runs for this long, as 1s", seconds)
    .addOption(outputOption())
    .action(bpfProgList);
  prog
    .command("show")
    .description("one program")
    .argument("<program>", which)
    .addOption(outputOption())
    .action(bpfProgShow);
  prog
    .command("dump")
    .description("its instructions as the verifier left them, with the lines of C")
    .argument("<program>", which)
    .option("--jited", "machine code instead")
    .addOption(outputOption())
    .action(bpfProgDump);
  prog
    .command("pin")
    .description("give it a name in a BPF file system, where it stays")
    .argument("<program>", which)
    .argument("<path>", "such as /sys/fs/bpf/name")
    .action(bpfProgPin);
}

function addMap(map: Command): void {
  map
    .command("list")
    .description("every map, and the processes that hold it")
    .addOption(outputOption())
    .action(bpfMapList);
  map.command("show").description("one map").argument("<map>", whichMap).addOption(outputOption()).action(bpfMapShow);
  map
    .command("dump")
    .description("every entry, a line each: key, value")
    .argument("<map>", whichMap)
    .addOption(outputOption())
    .action(bpfMapDump);
  map
    .command("get")
    .description("the value of a key")
    .argument("<map>", whichMap)
    .argument("<key>")
    .addOption(outputOption())
    .addHelpText("after", valueNotation)
    .action(bpfMapGet);
  map
    .command("set")
    .description("write an entry")
    .argument("<map>", whichMap)
    .argument("<key>")
    .argument("<value>", "for arrays of programs and maps of maps: which program or map")
    .option("--create", "only when the key is not there")
    .option("--replace", "only when the key is there")
    .addHelpText("after", valueNotation)
    .action(bpfMapSet);
  map
    .command("delete")
    .description("remove an entry")
    .argument("<map>", whichMap)
    .argument("<key>")
    .addHelpText("after", valueNotation)
    .action(bpfMapDelete);
  map
    .command("watch")
    .description("print what changes, until interrupted")
    .argument("<map>", whichMap)
    .addOption(new Option("--interval <duration>", "from one look to the next").argParser(interval).default(1, "1s"))
    .addOption(outputOption())
    .action(bpfMapWatch);
  map
    .command("pin")
    .description("give it a name in a BPF file system, where it stays")
    .argument("<map>", whichMap)
    .argument("<path>", "such as /sys/fs/bpf/name")
    .action(bpfMapPin);
}

function addLink(link: Command): void {
  link.command("list").description("every link").addOption(outputOption()).action(bpfLinkList);
  link
    .command("show")
    .description("one link")
    .argument("<link>", whichLink)
    .addOption(outputOption())
    .action(bpfLinkShow);
  link
    .command("pin")
    .description("give it a name in a BPF file system, by which it stays attached")
    .argument("<link>", whichLink)
    .argument("<path>", "such as /sys/fs/bpf/name")
    .action(bpfLinkPin);
  link
    .command("detach")
    .description("detach, whoever holds the link")
    .argument("<link>", whichLink)
    .action(bpfLinkDetach);
}

/** As `seconds`, and long enough that something else runs in between. */
function interval(text: string): number {
  const length = seconds(text);
  if (length >= SHORTEST) return length;
  throw new InvalidArgumentError(`wanted at least ${SHORTEST * 1000}ms`);
}

/** `1s`, `500ms`, as seconds. */
function seconds(text: string): number {
  let length: number;
  try {
    length = parseDuration(text);
  } catch (cause) {
    throw new InvalidArgumentError(cause instanceof Error ? cause.message : String(cause));
  }
  if (length <= LONGEST) return length;
  throw new InvalidArgumentError("wanted at most 24d");
}
