// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { SkepError } from "@skep/ebpf";
import { createLogger } from "@skep/workload";
import { dataFolder } from "../data-folder.ts";
import { Host, type HostOptions } from "../host.ts";
import { onInterrupt, untilAborted } from "../interrupt.ts";
import { printableLines } from "../output/safe-text.ts";
import { reportLosses } from "../report-losses.ts";
import { version } from "../version.ts";

/** Options of `skep up`. */
export interface UpOptions {
  readonly data?: string;
  readonly port: number;
  readonly host: string;
  readonly name?: string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly file?: string[];
  readonly store?: string;
  /** Seconds. */
  readonly keepAge: number;
  /** Bytes. */
  readonly keepSize: number;
  readonly log: "debug" | "info" | "warn" | "error";
}

/**
 * `skep up`: runs until SIGINT or SIGTERM. Rows that never reached their sink are named at the end, and make the
 * exit code 1.
 */
export async function up(options: UpOptions): Promise<void> {
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  let host: Host;
  try {
    host = await Host.start(hostOptions(options), signal);
  } catch (error) {
    if (error === signal.reason) return;
    throw error;
  }
  try {
    await using _ = host;
    announce(host);
    await untilAborted(signal);
    process.stdout.write("\nending: detaching, writing what was observed\n");
  } finally {
    reportLosses(host.backend.ledgers());
  }
}

function hostOptions(options: UpOptions): HostOptions {
  const tls = readTls(options);
  return {
    data: dataFolder(options.data),
    ...(options.store === undefined ? {} : { store: options.store }),
    retention: { age: options.keepAge, size: options.keepSize },
    manifests: options.file ?? [],
    host: options.host,
    port: options.port,
    ...(tls === undefined ? {} : { tls }),
    ...(options.name === undefined ? {} : { names: options.name }),
    logger: createLogger({ level: options.log }),
  };
}

/** Says what runs and where to look. That it cannot be said, for nobody reads it, ends nothing. */
function announce({ backend, server }: Host): void {
  const { node, kernel, notice, storage } = backend.info();
  const lines = [`skep ${version()} on ${node}, kernel ${kernel}`];
  if (notice !== undefined) {
    lines.push("", `RECORDING: ${notice.title}.`, `  ${notice.why}`, ...notice.remedy.map((step) => `  - ${step}`), "");
  }
  lines.push(`  rows   ${storage.location}`);
  for (const { name, status } of backend.workloads()) {
    const { message = "" } = status.conditions.find(({ type }) => type === "Ready") ?? {};
    lines.push(`  ${name.padEnd(6)} ${status.phase}${message === "" ? "" : `: ${message}`}`);
  }
  lines.push(`  page   ${server.address}`, "Ctrl-C ends it.");
  process.stdout.write(`${printableLines(lines.join("\n"))}\n`);
}

function readTls({ tlsCert, tlsKey }: UpOptions): { cert: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new SkepError(
      "ERR_USAGE",
      `--tls-cert and --tls-key go together; only --tls-${tlsCert === undefined ? "key" : "cert"} was given`,
    );
  }
  return { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) };
}
