// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TempFolder } from "../temp-folder.ts";
import { waitUntil } from "../wait-until.ts";
import { cpioArchive } from "./cpio-archive.ts";
import { type GuestKernel, moduleFiles, readModule } from "./guest-kernel.ts";

/** What a guest runs. */
export interface GuestRun {
  readonly kernel: GuestKernel;
  /** The repository, where the command starts. */
  readonly repository: string;
  /** A bash script. It sees the machine's files under its own `/`; what it writes is gone with the guest. */
  readonly command: string;
  /** Gives it the terminal, with input and without a time limit. */
  readonly interactive: boolean;
  /** Ends the guest. */
  readonly signal: AbortSignal;
}

const TIME_LIMIT_MS = 20 * 60_000;
const LOG_LINES = 40;
/** What the first process needs before it can read modules from the machine. */
const EARLY_MODULES = ["virtio_pci", "virtiofs", "overlay"];

/**
 * Boots a kernel under QEMU, without KVM, on this machine's own files (virtiofs, read only, written to in memory), runs a
 * command and returns its exit status. Needs root. Throws an Error with the end of the kernel's log when the guest ended
 * without a status: it was stuck, or its kernel panicked. No process, mount or file is left.
 */
export async function runGuest(run: GuestRun): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const folder = resources.use(new TempFolder());
  const initramfs = folder.join("initramfs");
  writeFileSync(initramfs, guestInitramfs(run));
  const socket = folder.join("virtiofs.sock");
  await startFileServer(run.repository, socket, folder, resources);

  const console = folder.join("console");
  const status = folder.join("status");
  const terminal = run.interactive ? "stdio,id=terminal,signal=off" : "stdio,id=terminal";
  const guest = startProcess(
    "qemu-system-x86_64",
    [
      ...["-machine", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
      // Five-level page tables would be one more level to emulate at each miss.
      ...["-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2", "-m", "2G"],
      ...["-object", "memory-backend-memfd,id=memory,size=2G,share=on", "-numa", "node,memdev=memory"],
      ...["-chardev", `socket,id=files,path=${socket}`],
      ...["-device", "vhost-user-fs-pci,chardev=files,tag=machine,queue-size=1024"],
      ...["-chardev", terminal],
      ...["-serial", `file:${console}`, "-serial", "chardev:terminal", "-serial", `file:${status}`],
      ...["-kernel", run.kernel.image, "-initrd", initramfs],
      ...["-append", "console=ttyS0 quiet rdinit=/init panic=-1 lsm=landlock,yama,bpf mitigations=off nokaslr"],
    ],
    [run.interactive ? "inherit" : "ignore", "inherit", "inherit"],
  );
  resources.defer(() => endProcess(guest));
  const end = () => guest.kill("SIGKILL");
  const late = run.interactive ? new AbortController().signal : AbortSignal.timeout(TIME_LIMIT_MS);
  const stop = AbortSignal.any([run.signal, late]);
  stop.addEventListener("abort", end);
  if (stop.aborted) end();

  await ended(guest);
  run.signal.throwIfAborted();
  const told = existsSync(status) ? readFileSync(status, "utf8").trim() : "";
  if (/^\d+$/.test(told)) return Number(told);
  const log = existsSync(console) ? readFileSync(console, "utf8").trimEnd().split(/\r?\n/).slice(-LOG_LINES) : [];
  const how = late.aborted ? `was stopped after ${TIME_LIMIT_MS / 60_000} minutes` : "ended before its command did";
  throw new Error(`Linux ${run.kernel.release} ${how}. Its log ends:\n${log.join("\n")}`);
}

function guestInitramfs({ kernel, repository, command, interactive }: GuestRun): Uint8Array {
  const script = (name: string) => readFileSync(join(import.meta.dirname, name));
  const { columns = 80, rows = 24 } = process.stdout;
  const terminal = interactive ? `sane columns ${columns} rows ${rows}` : "raw -echo";
  const settings = { REPOSITORY: repository, KERNEL: kernel.folder, TERMINAL: terminal };
  const quoted = Object.entries(settings).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`);
  const early = moduleFiles(kernel, EARLY_MODULES);
  return cpioArchive([
    { path: "bin/busybox", bytes: readFileSync("/bin/busybox") },
    { path: "init", bytes: script("guest-init.sh") },
    { path: "guest", bytes: script("guest-run.sh") },
    { path: "settings", bytes: Buffer.from(quoted.join("")) },
    { path: "command", bytes: Buffer.from(command) },
    { path: "sources.tar", bytes: sourcesOf(repository) },
    // A glob gives them in this order.
    ...early.map((file, i) => ({ path: `modules/${String(i).padStart(2, "0")}.ko`, bytes: readModule(file) })),
  ]);
}

/** A tar of the files that git knows or would know, those that are deleted left out. */
function sourcesOf(repository: string): Uint8Array {
  const options = { cwd: repository, maxBuffer: 1 << 30 };
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], options);
  const here = listed
    .toString()
    .split("\0")
    .filter((file) => file !== "" && existsSync(join(repository, file)));
  return execFileSync("tar", ["--create", "--null", "--files-from=-"], { ...options, input: here.join("\0") });
}

/** Serves `/` and the repository, which may be on another file system, read only, from mounts that nobody else sees. */
async function startFileServer(
  repository: string,
  socket: string,
  folder: TempFolder,
  resources: AsyncDisposableStack,
): Promise<void> {
  const places = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd"];
  const virtiofsd = places.find((path) => existsSync(path));
  if (virtiofsd === undefined) throw new Error(`there is no virtiofsd: none of ${places.join(", ")}`);
  const root = folder.join("root");
  mkdirSync(root);
  // Over /run, because virtiofsd leaves a lock file there.
  const script = `
    root=$1; repository=$2; shift 2
    mount --bind / "$root" && mount --bind "$repository" "$root$repository" &&
    mount -o remount,bind,ro "$root" && mount -o remount,bind,ro "$root$repository" &&
    mount -t tmpfs tmpfs /run && exec "$@"`;
  const server = startProcess(
    "unshare",
    [
      ...["--mount", "sh", "-c", script, "sh", root, repository],
      ...[virtiofsd, "-f", `--socket-path=${socket}`, "-o", `source=${root}`],
      ...["-o", "cache=always", "-o", "sandbox=chroot", "-o", "log_level=err"],
    ],
    ["ignore", "ignore", "pipe"],
  );
  resources.defer(() => endProcess(server));
  let said = "";
  server.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await waitUntil("virtiofsd to listen", () => {
    if (server.exitCode !== null) throw new Error(`virtiofsd ended with ${server.exitCode}: ${said}`);
    return existsSync(socket);
  });
}

/** A process that ends with this one, however this one ends. */
function startProcess(file: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn("setpriv", ["--pdeathsig=KILL", file, ...args], { stdio });
}

async function endProcess(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await ended(child);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
