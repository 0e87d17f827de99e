// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync } from "node:fs";
import { Epoll, EventDescriptor, FileDescriptor, MappedMemory, Poller } from "@skep/linux";
import { type MakeSpecimens, unless } from "./specimen.ts";

/** What the package has for itself. */
async function internals(file: string): Promise<Record<string, new (...args: unknown[]) => object>> {
  return await import(new URL(`../../../linux/src/${file}`, import.meta.url).href);
}

/** Descriptors, mappings and waiting. */
export const linuxKinds: Readonly<Record<string, MakeSpecimens>> = {
  descriptors: (scope) => {
    const event = scope.use(new EventDescriptor());
    const file: FileDescriptor = event.duplicate();
    const tells = ["number"];
    return [
      {
        name: "file descriptor",
        object: file,
        tells,
        uses: { open: ["file"] },
        after: () => unless({ "its number is none": file.number === -1 }),
      },
      { name: "epoll", object: new Epoll(), tells, uses: { add: [event.number], open: ["epoll"] } },
      { name: "eventfd", object: new EventDescriptor(), tells, uses: { open: ["eventfd"] } },
    ];
  },

  "mapped memory": (scope) => {
    const file = scope.use(new FileDescriptor(openSync(process.execPath, "r")));
    const memory = new MappedMemory({ fd: file.number, length: 4096, private: true });
    const bytes = new Uint8Array(memory.buffer, 0, 4);
    return [
      {
        name: "mapped memory",
        object: memory,
        tells: ["buffer"],
        after: () => unless({ "its views are detached": memory.buffer.detached && bytes.length === 0 }),
      },
    ];
  },

  pollers: async (scope) => {
    const event = scope.use(new EventDescriptor());
    const { UvPollSource, ThreadSource } = await internals("readiness-source.ts");
    const { ffi } = (await internals("ffi.ts")) as unknown as { ffi(): { poll: unknown } };
    if (UvPollSource === undefined || ThreadSource === undefined) throw new Error("no sources");
    const nothing = (): void => undefined;
    const waited = (mechanism: "uv_poll" | "thread") => {
      const poller = new Poller(event.number, { mechanism });
      const wait = poller.wait();
      const after = async () => unless({ "the wait ends": (await wait) === false });
      return { name: `poller by ${mechanism}`, object: poller, after };
    };
    return [
      waited("uv_poll"),
      waited("thread"),
      { name: "edge poller", object: new Poller(event.number, { edge: true }) },
      { name: "watch by uv_poll", object: new UvPollSource(event.number, false, nothing, ffi().poll) },
      { name: "watch on a thread", object: new ThreadSource(event.number, nothing) },
    ];
  },

  "tables of an executable": async () => {
    const { ElfTables } = await internals("elf-tables.ts");
    if (ElfTables === undefined) throw new Error("no tables");
    const tables = new ElfTables("/bin/true") as Disposable;
    const stranger = { fd: -1 };
    return [
      {
        name: "tables",
        object: tables,
        tells: ["fileOffset"],
        uses: { read: [0, 4, "header"], fileOffset: [0] },
        close: () => {
          tables[Symbol.dispose]();
          // A second end must not take a stranger's file that was given the number.
          if (stranger.fd === -1) stranger.fd = openSync("/dev/null", "r");
        },
        after: () => {
          closeSync(stranger.fd);
          return undefined;
        },
      },
    ];
  },
};
