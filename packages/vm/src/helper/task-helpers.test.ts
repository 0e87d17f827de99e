// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { TestFrame } from "./helper.test-kit.ts";
import { nobody, type TaskInfo, taskHelpers } from "./task-helpers.ts";

const task: TaskInfo = {
  pid: 4_194_303,
  tgid: 4_194_301,
  uid: 2 ** 32 - 2,
  gid: 1000,
  comm: "a name that is longer",
  cgroupIds: [1n, 77n, 2n ** 60n + 1n],
  address: 0x7fff_0000,
  numaNode: 1,
  pidNamespace: { device: 4n, inode: 4026531836n },
};
const frame = new TestFrame();
const helpers = taskHelpers(task);
const ask = (name: string, ...registers: (number | bigint)[]) => frame.invoke(helpers, name, ...registers);

test("the task is the host's, exact to the last bit", () => {
  expect(ask("get_current_pid_tgid")).toBe((4_194_301n << 32n) | 4_194_303n);
  expect(ask("get_current_uid_gid")).toBe((1000n << 32n) | (2n ** 32n - 2n));
  expect(ask("get_current_task")).toBe(0x7fff_0000n);
  expect(ask("get_current_task_btf")).toBe(0x7fff_0000n);
  expect(ask("get_numa_node_id")).toBe(1n);
  expect(frame.invoke(taskHelpers(nobody), "get_current_pid_tgid")).toBe(0n);
});

test("cgroups by their level", () => {
  expect(ask("get_current_cgroup_id")).toBe(2n ** 60n + 1n);
  const levels = [0n, 1n, 2n, 3n, -1n].map((level) => ask("get_current_ancestor_cgroup_id", level));
  expect(levels).toEqual([1n, 77n, 2n ** 60n + 1n, 0n, 0n]);
});

test("the name is cut to 15 bytes and padded", () => {
  for (const size of [0, 1, 4, 16, 20]) {
    frame.reset();
    const target = frame.put(new Uint8Array(24).fill(9));
    expect(ask("get_current_comm", target, size)).toBe(0n);
    const kept = "a name that is longer".slice(0, Math.max(0, Math.min(15, size - 1)));
    expect(Buffer.from(frame.bytes(target, size)).toString()).toBe(kept.padEnd(size, "\0"));
    expect(frame.bytes(target + size, 1)).toEqual(Uint8Array.of(9));
  }
});

test("pids are given in the namespace that they are of, and in no other", () => {
  const target = frame.put(8);
  const inode = 4026531836n;
  expect(ask("get_ns_current_pid_tgid", 4, inode, target, 8)).toBe(0n);
  expect(new Uint32Array(frame.bytes(target, 8).buffer)).toEqual(Uint32Array.of(task.pid, task.tgid));
  for (const [device, ino, size] of [
    [5, inode, 8],
    [4, inode + 1n, 8],
    [4, inode, 4],
  ] as const) {
    expect(ask("get_ns_current_pid_tgid", device, ino, target, size)).toBe(-22n);
    expect(frame.bytes(target, size)).toEqual(new Uint8Array(size));
  }
});
