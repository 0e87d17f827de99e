// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../skep-process.ts";
import { guestKernel } from "./guest-kernel.ts";
import { runGuest } from "./virtual-machine.ts";

const LEGS = ["6.1", "6.12"];
/** New files of these packages are among them by their names. */
const KERNEL_TESTS = ["--project=kernel", "packages/kernel/", "packages/linux/"];
const USAGE = `npm run test:qemu [-- [${LEGS.join("|")}]... [--shell | FILE... [vitest's options]]]`;

/** Runs the kernel tests in each leg that is named, else in all. Exits with 1 when one of them failed. */
async function main(args: readonly string[]): Promise<void> {
  const named = args.filter((arg) => LEGS.includes(arg));
  const rest = args.filter((arg) => !LEGS.includes(arg));
  const shell = rest.includes("--shell");
  if (rest.includes("--help") || (shell && rest.length > 1)) {
    console.log(USAGE);
    return;
  }
  requireHost();
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
  }
  for (const leg of named.length > 0 ? named : LEGS) {
    const start = performance.now();
    const kernel = guestKernel(leg, join(repository, "node_modules/.cache/skep/kernels"));
    console.log(`==> ${leg}: Linux ${kernel.release}`);
    const command = shell ? "exec bash --norc -i" : testCommand(leg, rest);
    const status = await runGuest({ kernel, repository, command, interactive: shell, signal: abort.signal });
    if (status !== 0) process.exitCode = 1;
    const end = status === 0 ? "" : `, ended with ${status}`;
    console.log(`==> ${leg}: ${((performance.now() - start) / 1000).toFixed(1)} s${end}`);
  }
}

/**
 * Node strips types by WebAssembly, and under QEMU's emulation that ends one process in four (SIGSEGV, or V8's "Check failed:
 * it->second.Size() > offset"). What lies in the compile cache, each user's own, is not stripped again: the programs that
 * tests start are run beforehand, without what they are for, until no signal ends them.
 */
const fillCompileCache = `
    calmly() {
      for attempt in 1 2 3 4 5 6 7 8; do
        "$@" --classes </dev/null >/dev/null 2>&1
        if [ $? -lt 128 ]; then return; fi
      done
    }
    program="node --conditions=skep-source packages/kernel/test-objects"
    for user in 0 1 65534; do
      calmly setpriv --reuid $user --regid $user --clear-groups $program/use-after-close.ts
    done
    calmly $program/token-child.ts
    calmly $program/adopt-child.ts`;

/**
 * One process for all files: each of its own would take seconds to start. The reporter of the tests compares the skips with
 * the leg's list.
 */
function testCommand(leg: string, rest: readonly string[]): string {
  const filters = rest.length > 0 ? rest : KERNEL_TESTS;
  const colour = process.stdout.isTTY ? "FORCE_COLOR=1" : "NO_COLOR=1";
  const quoted = filters.map((filter) => `'${filter.replaceAll("'", "'\\''")}'`).join(" ");
  return `
    export SKEP_TEST_LEG=${leg} ${colour} CI=true NODE_COMPILE_CACHE=/run/compile-cache
    mkdir -m 1777 "$NODE_COMPILE_CACHE"
    ${fillCompileCache}
    set -o pipefail
    vitest run --isolate=false ${quoted} 2>&1 | cat`;
}

function requireHost(): void {
  if (process.platform !== "linux" || process.arch !== "x64" || process.getuid?.() !== 0) {
    throw new Error("the guests need root on x86-64 Linux");
  }
  const tools = [
    "qemu-system-x86_64",
    "busybox",
    "depmod",
    "dpkg",
    "apt-get",
    "xz",
    "setpriv",
    "unshare",
    "git",
    "tar",
  ];
  const found = (tool: string) =>
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].some((path) => existsSync(join(path, tool)));
  const missing = tools.filter((tool) => !found(tool));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}; scripts/setup-test-host installs them`);
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
