// SPDX-License-Identifier: Apache-2.0

import { cpus, release, totalmem } from "node:os";

/** What a benchmark runs on, in one line. */
export function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown processor";
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${processors.length} × ${model}, ${memory}, Linux ${release()} ${process.arch}, Node ${process.versions.node}`;
}
