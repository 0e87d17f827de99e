// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { NotSupportedError } from "@skep/ebpf";
import { AttrBuffer, FileDescriptor, openProcess, systemCall } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { kernelDescriptors } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { haveKernelFeature } from "./features/kernel-features.ts";
import { KernelEngine } from "./kernel-engine.ts";

const child = fileURLToPath(new URL("../test-objects/token-child.ts", import.meta.url));
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

type Said = Readonly<Record<"without" | "with" | "given", string>>;

/** What the child says after the parent let its BPF file system delegate these. */
async function inUserNamespace(delegated: Readonly<Record<string, string>>): Promise<Said> {
  const command = ["--user", "--map-root-user", "--mount", process.execPath, "--conditions=skep-source", child];
  const started = spawn("unshare", command, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const lines = createInterface(started.stdout)[Symbol.asyncIterator]();
    const fd = Number((await lines.next()).value);
    delegate(started, fd, delegated);
    started.stdin.write("go\n");
    return JSON.parse(String((await lines.next()).value)) as Said;
  } finally {
    if (started.exitCode === null) {
      started.kill("SIGKILL");
      await once(started, "exit");
    }
  }
}

/** Only who has CAP_SYS_ADMIN outside may say what a file system of the child's namespace delegates. */
function delegate({ pid = 0 }: ChildProcess, fd: number, delegated: Readonly<Record<string, string>>): void {
  using owner = openProcess(pid);
  using context = new FileDescriptor(systemCall("pidfd_getfd", `process ${pid}`, owner.number, fd));
  for (const [key, value] of Object.entries(delegated)) {
    const [keyText, valueText] = [key, value].map((text) => new AttrBuffer(64).text(0, 64, text));
    systemCall("fsconfig", key, context.number, FSCONFIG_SET_STRING, keyText?.address ?? 0, valueText?.address ?? 0);
  }
  systemCall("fsconfig", "bpf", context.number, FSCONFIG_CMD_CREATE);
}

const everything = { delegate_cmds: "any", delegate_maps: "any", delegate_progs: "any", delegate_attachs: "any" };

describe("a BPF token", () => {
  it("lends a process the rights that its file system delegates", async (ctx) => {
    orSkip(ctx, requireTokens);
    const said = await inUserNamespace(everything);
    expect(said.without).toContain("EPERM");
    expect(said.with).toBe("counted 3");
    expect(said.given).toBe("counted 3");
  });

  it("lends no more than that", async (ctx) => {
    orSkip(ctx, requireTokens);
    const said = await inUserNamespace({ ...everything, delegate_progs: "xdp" });
    expect(said.with).toMatch(/program "count_here".*EPERM/);
  });

  it("is not to be had in the initial user namespace, and leaves nothing open there", (ctx) => {
    orSkip(ctx, requireTokens);
    const before = kernelDescriptors();
    expect(() => new KernelEngine({ token: "/sys/fs/bpf" })).toThrow(/BPF token of \/sys\/fs\/bpf/);
    expect(() => new KernelEngine({ token: "/no/such" })).toThrow("BPF file system /no/such cannot be opened");
    expect(() => new KernelEngine({ token: 9999 })).toThrow("EBADF");
    expect(kernelDescriptors()).toEqual(before);
  });
});

function requireTokens(): void {
  if (haveKernelFeature("tokens").state === "no") throw new NotSupportedError("BPF tokens", "6.9");
}
