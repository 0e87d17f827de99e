// SPDX-License-Identifier: Apache-2.0

import { parseDuration, parseSize } from "@skep/rows";
import { Command, InvalidArgumentError, Option } from "commander";
import { engineNames } from "./bpf/run-engine.ts";
import { addBpfVerbs } from "./bpf-verbs.ts";
import { bpfDisasm } from "./commands/bpf-disasm.ts";
import { bpfGenerate } from "./commands/bpf-generate.ts";
import { bpfInspect } from "./commands/bpf-inspect.ts";
import { bpfJoin } from "./commands/bpf-join.ts";
import { bpfLoad, verifierLogParts } from "./commands/bpf-load.ts";
import { bpfRun } from "./commands/bpf-run.ts";
import { bpfVmlinuxH } from "./commands/bpf-vmlinux-h.ts";
import { clean } from "./commands/clean.ts";
import { doctor } from "./commands/doctor.ts";
import { rows } from "./commands/rows.ts";
import { run } from "./commands/run.ts";
import { up } from "./commands/up.ts";
import { defaultClangFlags } from "./compile-bpf.ts";
import { defaultDataFolder } from "./data-folder.ts";
import { outputOption } from "./output/format.ts";
import { version } from "./version.ts";

/** The page's port unless told otherwise. */
export const DEFAULT_PORT = 7537;

/** The `skep` command and everything under it. */
export function program(): Command {
  const skep = new Command("skep")
    .description("eBPF from TypeScript: what the kernel does, as rows")
    .version(version())
    .showHelpAfterError();

  skep
    .command("up")
    .description("run the bundled collectors here, store their rows, serve the page")
    .addOption(dataOption())
    .option("-p, --port <number>", "port of the page; 0 picks a free one", port, DEFAULT_PORT)
    .option("--host <address>", "address to listen on; other than loopback only with TLS", "127.0.0.1")
    .option("--name <host...>", "further host names under which the page may be opened")
    .option("--tls-cert <file>", "certificate chain, PEM")
    .option("--tls-key <file>", "its key, PEM")
    .option("-f, --file <path...>", "manifests to run besides the bundled ones: files, folders, - for standard input")
    .option("--store <url>", "store rows in this PostgreSQL instead of the data folder")
    .option("--keep-age <duration>", "drop rows older than this", duration, parseDuration("7d"))
    .option("--keep-size <size>", "drop the oldest rows of a stream beyond this", size, parseSize("4GiB"))
    .addOption(logOption())
    .action(up);

  skep
    .command("run")
    .description("run workloads here and print their rows")
    .requiredOption("-f, --file <path...>", "manifests: files, folders, - for standard input")
    .option("--record <file>", "also record what the programs deliver, for playing it elsewhere")
    .addOption(outputOption())
    .addOption(logOption())
    .action(run);

  skep
    .command("rows")
    .description("print stored rows, beside a running `skep up` or without one")
    .argument("<stream>", "such as exec")
    .addOption(dataOption())
    .option("--store <url>", "read this PostgreSQL instead of the data folder")
    .option("--where <filter>", `such as 'comm = "bash" and args contains "curl"', or a word to search for`)
    .option("--limit <number>", "newest rows to print (table: 50, otherwise all)", count)
    .option("--follow", "go on with rows as they come")
    .addOption(outputOption())
    .action(rows);

  skep
    .command("doctor")
    .description("what this kernel and this user can do, and what to do about the rest")
    .addOption(outputOption())
    .action(doctor);

  const bpf = skep.command("bpf").description("eBPF objects, and what the kernel holds of them");
  bpf
    .command("inspect")
    .description("programs, maps and variables of an object")
    .argument("<file>")
    .addOption(outputOption())
    .action(bpfInspect);
  bpf
    .command("load")
    .description("have the kernel verify an object, then let go of it")
    .argument("<file>")
    .addOption(new Option("--verifier-log <part...>", "print what the verifier writes").choices(verifierLogParts))
    .addOption(outputOption())
    .action(bpfLoad);
  bpf
    .command("run")
    .description("run a program of an object on packets, without a kernel or in it")
    .argument("<file>")
    .option("--program <name>", "which, when the object has several")
    .addOption(new Option("--engine <engine>", "what runs it").choices(engineNames).default("vm"))
    .option("--data <packets>", "a pcap or pcapng file, a packet in hexadecimal, or - for either on standard input")
    .option("--context <fields>", "fields of the context, as mark=7,priority=1, or its bytes, as hex:0a0b")
    .option("--repeat <number>", "runs on each packet; tells how long one takes", times)
    .option("--maps", "print what maps hold afterwards")
    .addOption(outputOption())
    .action(bpfRun);
  bpf
    .command("disasm")
    .description("instructions of an object's programs")
    .argument("<file>")
    .argument("[program]")
    .action(bpfDisasm);

  bpf
    .command("generate")
    .description("a TypeScript or JavaScript module for a .bpf.c or an object")
    .argument("<file>")
    .option("-o, --out <file>", "where it goes; - for standard output (default: beside the source)")
    .option("--js", "JavaScript, and a .d.ts beside it")
    .option("--name <name>", "what its names begin with (default: by the file)")
    .option("--type <name...>", "C types to declare besides those of maps and variables")
    .option("--clang <path>", "compiler (default: clang, or the newest clang-15 to clang-22)")
    .option("--strip <path>", "what removes DWARF (default: llvm-strip in the same way, if there is one)")
    .option("--no-strip", "keep DWARF")
    .option("--cflag <flag...>", "further flags of clang, as --cflag=-DX=1; they win over Skep's own")
    .option("--no-default-flags", "leave out Skep's own flags")
    .addHelpText("after", () => `\nSkep's own flags of clang:\n  ${defaultClangFlags().join(" ")}`)
    .action(bpfGenerate);
  bpf
    .command("join")
    .description("link objects into one, as `bpftool gen object` does")
    .argument("<out>", "the object to write")
    .argument("<file...>", "the objects to link, in this order")
    .action(bpfJoin);
  addBpfVerbs(bpf);
  bpf
    .command("vmlinux-h")
    .description("the kernel's types as the header that BPF programs include")
    .argument("[file]", "BTF, a vmlinux or an object; the running kernel's unless given")
    .action(bpfVmlinuxH);

  skep
    .command("clean")
    .description("remove what a killed `skep up` left behind")
    .addOption(dataOption())
    .option("--rows", "delete the stored rows too")
    .action(clean);

  return skep;
}

function dataOption(): Option {
  return new Option("-d, --data <folder>", `data folder (default: ${defaultDataFolder()})`);
}

function logOption(): Option {
  return new Option("--log <level>", "what to log").choices(["debug", "info", "warn", "error"]).default("info");
}

function port(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER);
}

/** As many runs as the kernel takes at once. */
function times(text: string): number {
  return wholeNumber(text, 1, 0xffff_ffff);
}

function wholeNumber(text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`wanted a whole number from ${least} to ${most}`);
}

function duration(text: string): number {
  return parsed(() => parseDuration(text));
}

function size(text: string): number {
  return parsed(() => parseSize(text));
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new InvalidArgumentError(cause instanceof Error ? cause.message : String(cause));
  }
}
