// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { SkepError } from "@skep/ebpf";
import { createLogger } from "@skep/workload";
import { dataFolder } from "../data-folder.ts";
import { Host } from "../host.ts";
import { onInterrupt } from "../interrupt.ts";
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

/** `skep up`: runs until SIGINT or SIGTERM. */
export async function up(options: UpOptions): Promise<void> {
  using interrupt = onInterrupt();
  const tls = readTls(options);
  await using host = await Host.start({
    data: dataFolder(options.data),
    ...(options.store === undefined ? {} : { store: options.store }),
    retention: { age: options.keepAge, size: options.keepSize },
    manifests: options.file ?? [],
    host: options.host,
    port: options.port,
    ...(tls === undefined ? {} : { tls }),
    ...(options.name === undefined ? {} : { names: options.name }),
    logger: createLogger({ level: options.log }),
  });
  announce(host);
  await ended(interrupt.signal);
  process.stdout.write("\nending: detaching, writing what was observed\n");
}

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
  process.stdout.write(`${lines.join("\n")}\n`);
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

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
