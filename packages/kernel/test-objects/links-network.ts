// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawnSync } from "node:child_process";

/** Where the programs of `links-network.bpf.c` look. */
export const PORT = 9999;

/** Two network namespaces of the test's own, joined by a veth pair: `left` 10.77.0.1, `right` 10.77.0.2. */
export class TestNetwork implements Disposable {
  readonly left: string = `skep-${process.pid}-left`;
  readonly right: string = `skep-${process.pid}-right`;
  /** The paths of the namespaces. */
  readonly leftPath: string = `/run/netns/${this.left}`;
  readonly rightPath: string = `/run/netns/${this.right}`;

  constructor() {
    try {
      ip("netns", "add", this.left);
      ip("netns", "add", this.right);
      ip("-n", this.left, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", this.right);
      for (const [name, device, address] of [
        [this.left, "veth0", "10.77.0.1/24"],
        [this.right, "veth1", "10.77.0.2/24"],
      ] as const) {
        ip("-n", name, "address", "add", address, "dev", device);
        ip("-n", name, "link", "set", device, "up");
        ip("-n", name, "link", "set", "lo", "up");
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const name of [this.left, this.right]) spawnSync("ip", ["netns", "delete", name]);
  }
}

/** Runs ip(8). */
export function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const udp = `
  const { createSocket } = require("node:dgram");
  const [to] = process.argv.slice(1);
  const server = createSocket("udp4").bind(${PORT}, "0.0.0.0", () => {
    const client = createSocket("udp4");
    const end = (word) => { console.log(word); process.exit(); };
    server.on("message", () => end("received"));
    client.send("x", ${PORT}, to, (error) => error ? end(error.code) : setTimeout(end, 200, "lost"));
  });
`;

const tcp = `
  const { createServer, connect } = require("node:net");
  const end = (word) => { console.log(word); process.exit(); };
  const server = createServer().listen(${PORT}, "127.0.0.1", () => {
    connect(${PORT}, "127.0.0.1", () => end("connected")).on("error", (error) => end(error.code));
  });
`;

/** Sends one datagram to the loopback address and tells what became of it: `received`, `lost`, or an error's code. */
export function sendToSelf(netns: string): string {
  return run(["ip", "netns", "exec", netns, process.execPath, "-e", udp, "127.0.0.1"]);
}

/** Sends datagrams to an address, which need not answer. */
export function sendTo(netns: string, address: string, times = 1): void {
  const script = `for i in $(seq ${times}); do echo x > /dev/udp/${address}/${PORT}; done`;
  run(["ip", "netns", "exec", netns, "bash", "-c", script]);
}

/** Listens and connects on the loopback address: `connected`, or an error's code. Runs inside a cgroup when one is given. */
export function connectToSelf(netns: string, cgroup?: string): string {
  const command = ["ip", "netns", "exec", netns, process.execPath, "-e", tcp];
  if (cgroup === undefined) return run(command);
  return run(["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup, ...command]);
}

function run([file = "", ...args]: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(file, args, { encoding: "utf8", timeout: 10_000 });
  if (status !== 0) throw new Error(`${file} ${args[0]} ended with ${status}: ${stderr}`);
  return stdout.trim();
}
