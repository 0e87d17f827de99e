// SPDX-License-Identifier: Apache-2.0

import { ClosedError, NotSupportedError } from "@skep/ebpf";
import { detachedMount } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { ip, sendToSelf, TestNetwork } from "../test-objects/links-network.ts";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { KernelLink } from "./kernel-link.ts";
import { listLinks } from "./list-objects.ts";
import { linkIds, openLink, openPinnedLink } from "./open-link.ts";
import { listPins } from "./open-pin.ts";
import { unpin } from "./pin.ts";

describe("a link of the kernel", () => {
  it("is listed, opened by its id, changed and detached", () => {
    using network = new TestNetwork();
    using object = loadObject("links-network", { programs: ["drop_xdp", "pass_xdp"] });
    const before = kernelDescriptors().length;
    const own = object.collection
      .program("drop_xdp")
      .attach({ xdp: { interface: "lo", netns: network.rightPath, mode: "generic" } });
    const info = own.info();
    expect([...linkIds()]).toContain(info.id);
    expect(listLinks().filter(({ id }) => id === info.id)).toEqual([info]);
    {
      using opened = openLink(info.id);
      expect(opened.info()).toEqual(info);
      expect(sendToSelf(network.right)).toBe("lost");
      opened.update(object.program("pass_xdp"));
      expect(sendToSelf(network.right)).toBe("received");
      expect(object.variable("seen")).toBe(101n);
      // It holds the link, too.
      own.close();
      expect(ip("-n", network.right, "link", "show", "dev", "lo")).toContain("xdpgeneric");
      opened.detach();
      expect(ip("-n", network.right, "link", "show", "dev", "lo")).not.toContain("xdp");
      expect(opened.info()).toMatchObject({ kind: "xdp", interfaceIndex: 0 });
      expect(() => opened.openIterator()).toThrow("is no iterator");
    }
    expect(() => openLink(info.id)).toThrow("ENOENT");
    expect(kernelDescriptors()).toHaveLength(before);
  });

  it("is opened by its pin, and pinned again", () => {
    using mount = detachedMount("bpf");
    const [first, second] = ["first", "second"].map((name) => `/proc/self/fd/${mount.number}/${name}`) as [
      string,
      string,
    ];
    using object = loadObject("links-probes", { programs: ["list_tasks"], variables: { wanted: process.pid } });
    const { link } = object.collection.program("list_tasks").attach({ iterator: {} });
    if (!(link instanceof KernelLink)) throw new Error("not a link of the kernel");
    link.pin(first);
    const { id } = link.info();
    link.close();
    expect(listPins(`/proc/self/fd/${mount.number}/`)).toEqual([{ path: first, kind: "link" }]);
    const opened = openPinnedLink(first);
    opened.pin(second);
    unpin(first);
    using reader = opened.openIterator();
    expect(reader.text()).toContain(`${process.pid} ${process.pid}\n`);
    expect(opened.info()).toMatchObject({ kind: "iter", id });
    opened.close();
    opened.close();
    using again = openPinnedLink(second);
    expect(again.info().id).toBe(id);
    unpin(second);
    for (const use of [
      () => opened.info(),
      () => opened.detach(),
      () => opened.pin(first),
      () => opened.openIterator(),
    ])
      expect(use).toThrow(ClosedError);
  });

  it("says that its kind keeps the program, and cannot be detached", () => {
    using object = loadObject("links", { programs: ["on_tick"] });
    const perfEvent = { event: "software:cpu-clock", period: 1_000_000_000, pid: process.pid };
    using own = object.collection.program("on_tick").attach({ perfEvent });
    using opened = openLink(own.info().id);
    expect(() => opened.update(object.program("on_tick"))).toThrow(NotSupportedError);
    expect(() => opened.detach()).toThrow("detaching link");
  });
});
