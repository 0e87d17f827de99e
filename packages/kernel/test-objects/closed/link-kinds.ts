// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget } from "@skep/ebpf";
import { detachedMount } from "@skep/linux";
import type { KernelLink } from "../../src/kernel-link.ts";
import { openLink, openPinnedLink } from "../../src/open-link.ts";
import { TestNetwork } from "../links-network.ts";
import { type LoadedObject, loadObject } from "../load-object.ts";
import { type MakeSpecimens, refusesClosed, type Specimen, unless } from "./specimen.ts";

/** A link of a collection, and one of the engine. */
function linkSpecimens(scope: DisposableStack, program: string, target?: AttachTarget): Specimen[] {
  // One program can be attached to one tracepoint once.
  const loadAlone = (): LoadedObject => scope.use(loadObject("links", { programs: [program] }));
  const [object, other] = [loadAlone(), loadAlone()];
  const loaded = object.collection.program(program).attach(target);
  const { link } = other.collection.program(program).attach(target);
  return [
    {
      name: `loaded link of ${program}`,
      object: loaded,
      tells: ["target"],
      uses: { update: [object.program(program)] },
      after: () => unless({ "its program has it no more": !object.collection.program(program).links.includes(loaded) }),
    },
    {
      name: `link of ${program}`,
      object: link,
      uses: { update: [object.program(program)], pin: ["/sys/fs/bpf/skep-closed"] },
    },
  ];
}

/** Links and what is read by them. */
export const linkKinds: Readonly<Record<string, MakeSpecimens>> = {
  "links of tracepoints": (scope) => [
    ...linkSpecimens(scope, "on_raw_tracepoint"),
    ...linkSpecimens(scope, "on_tracepoint"),
    ...linkSpecimens(scope, "on_tp_btf"),
    ...linkSpecimens(scope, "on_tick", { perfEvent: { event: "software:cpu-clock", period: 1_000_000_000 } }),
  ],

  "links of a network": (scope) => {
    const { leftPath: netns } = scope.use(new TestNetwork());
    const object = scope.use(loadObject("links-network", { programs: ["drop_xdp", "refuse_lookup", "dissect"] }));
    // One link at a time: a place has room for one.
    const { link } = object.collection.program("drop_xdp").attach({ xdp: { interface: "lo", netns, mode: "generic" } });
    const lookup = object.collection.program("refuse_lookup").attach({ netns });
    return [
      {
        name: "link of XDP",
        object: link,
        uses: { update: [object.program("drop_xdp")], pin: ["/sys/fs/bpf/skep-closed"] },
      },
      {
        name: "link of a network namespace",
        object: lookup,
        tells: ["target"],
        uses: { update: [object.program("refuse_lookup")] },
      },
    ];
  },

  "an iterator": (scope) => {
    const object = scope.use(loadObject("links-probes", { programs: ["list_tasks"] }));
    const { link } = object.collection.program("list_tasks").attach({ iterator: {} });
    const [reader, other] = [link.openIterator(), link.openIterator()];
    reader.read(new Uint8Array(64));
    return [
      { name: "iterator", object: reader, uses: { read: [new Uint8Array(64)] } },
      {
        name: "link of an iterator",
        object: link,
        uses: { update: [object.program("list_tasks")], pin: ["/sys/fs/bpf/skep-closed"] },
        after: () => {
          const left = other.text().length;
          other.close();
          return unless({ "a walk of it stays": left > 0 });
        },
      },
    ];
  },

  "an opened link": (scope) => {
    const mount = scope.use(detachedMount("bpf"));
    const path = `/proc/self/fd/${mount.number}/link`;
    const object = scope.use(loadObject("links-probes", { programs: ["list_tasks"] }));
    const own = object.collection.program("list_tasks").attach({ iterator: {} });
    (own.link as KernelLink).pin(path);
    const uses = { update: [object.program("list_tasks")], pin: [`${path}-again`] };
    return [
      { name: "link opened by its id", object: openLink(own.info().id), uses },
      {
        name: "link opened by its pin",
        object: openPinnedLink(path),
        uses,
        after: () => unless({ "the link stays": !refusesClosed(() => own.info()) }),
      },
    ];
  },
};
