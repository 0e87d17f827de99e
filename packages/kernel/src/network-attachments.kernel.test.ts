// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it, vi } from "vitest";
import { TestNetwork } from "../test-objects/links-network.ts";
import { kernelDescriptors, loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { networkAttachments } from "./network-attachments.ts";
import { ObjectHolders } from "./object-holders.ts";
import { openLink } from "./open-link.ts";

/** As if an interface went away right after it was listed. */
const gone = { index: 2 ** 31 - 2, name: "gone", kind: "netkit", xdp: [] };
vi.mock("@skep/linux", async (original) => {
  const linux = await original<typeof import("@skep/linux")>();
  return { ...linux, networkInterfaces: () => [...linux.networkInterfaces(), gone] };
});

describe("what is attached to a network namespace", () => {
  it("is listed by interface, in order, with links", (ctx) => {
    using network = new TestNetwork();
    const programs = ["pass_xdp", "tcx_1", "tcx_2", "tcx_3", "dissect", "refuse_lookup"];
    using object = loadObject("links-network", { programs });
    const at = { interface: "veth0", netns: network.leftPath } as const;
    expect(networkAttachments(network.leftPath)).toEqual([]);
    const before = kernelDescriptors();
    const attach = (name: string, target: Parameters<ReturnType<typeof object.collection.program>["attach"]>[0]) => ({
      link: orSkip(ctx, () => object.collection.program(name).attach(target)),
      id: object.program(name).info().id,
    });
    using stack = new DisposableStack();
    const xdp = stack.adopt(attach("pass_xdp", { xdp: at }), ({ link }) => link.close());
    const second = stack.adopt(attach("tcx_2", { tcx: { ...at, direction: "ingress" } }), ({ link }) => link.close());
    const first = stack.adopt(attach("tcx_1", { tcx: { ...at, direction: "ingress", anchor: "first" } }), ({ link }) =>
      link.close(),
    );
    const tc = stack.adopt(attach("tcx_3", { tc: { ...at, direction: "egress", priority: 7 } }), ({ link }) =>
      link.close(),
    );
    const dissector = stack.adopt(attach("dissect", { netns: network.leftPath }), ({ link }) => link.close());
    const lookup = stack.adopt(attach("refuse_lookup", { netns: network.leftPath }), ({ link }) => link.close());
    const found = networkAttachments(network.leftPath).filter(({ place }) => !place.startsWith("netfilter"));
    const interfaceName = "veth0";
    expect(found).toEqual([
      { place: "xdp/driver", interface: interfaceName, programId: xdp.id, linkId: xdp.link.info().id, detail: "" },
      { place: "tcx/ingress", interface: interfaceName, programId: first.id, linkId: first.link.info().id, detail: "" },
      {
        place: "tcx/ingress",
        interface: interfaceName,
        programId: second.id,
        linkId: second.link.info().id,
        detail: "",
      },
      {
        place: "tc/egress",
        interface: interfaceName,
        programId: tc.id,
        linkId: undefined,
        detail: "priority 7, handle 0x1",
      },
      {
        place: "flow_dissector",
        interface: undefined,
        programId: dissector.id,
        linkId: dissector.link.info().id,
        detail: "",
      },
      { place: "sk_lookup", interface: undefined, programId: lookup.id, linkId: lookup.link.info().id, detail: "" },
    ]);
    expect(networkAttachments(network.rightPath).filter(({ place }) => !place.startsWith("netfilter"))).toEqual([]);
    const holders = new ObjectHolders();
    const mine = [{ pid: process.pid, name: "node" }];
    expect(holders.of("link", xdp.link.info().id)).toEqual(mine);
    expect(holders.of("program", tc.id)).toEqual(mine);
    expect(holders.of("map", 2 ** 31)).toEqual([]);
    stack.dispose();
    expect(kernelDescriptors()).toEqual(before);
  });

  it("has the link of this namespace, where another one has the same program", () => {
    using network = new TestNetwork();
    using object = loadObject("links-network", { programs: ["refuse_lookup"] });
    const attach = (netns: string) => object.collection.program("refuse_lookup").attach({ netns });
    using left = attach(network.leftPath);
    using right = attach(network.rightPath);
    const linkIds = (netns: string) =>
      networkAttachments(netns).flatMap(({ place, linkId }) => (place === "sk_lookup" ? [linkId] : []));
    expect(linkIds(network.leftPath)).toEqual([left.info().id]);
    expect(linkIds(network.rightPath)).toEqual([right.info().id]);
    // A link that was opened again is called otherwise in /proc than one that was made.
    using _opened = openLink(left.info().id);
    const { id } = left.info();
    left.close();
    expect(new ObjectHolders().of("link", id)).toEqual([{ pid: process.pid, name: "node" }]);
  });
});
