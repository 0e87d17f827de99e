// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ClosedError } from "./closed-error.ts";
import { EventDescriptor } from "./event-descriptor.ts";
import { Poller } from "./poller.ts";

describe.each(["uv_poll", "thread"] as const)("a poller by %s", (mechanism) => {
  it("resolves when the descriptor becomes readable", async () => {
    using event = new EventDescriptor();
    using poller = new Poller(event.number, { mechanism });
    const waiting = poller.wait();
    expect(await Promise.race([waiting, sleep(20, "nothing")])).toBe("nothing");
    event.signal();
    expect(await waiting).toBe(true);
    expect(event.take()).toBe(1n);
  });

  it("resolves at once when there is input already, again and again", async () => {
    using event = new EventDescriptor();
    using poller = new Poller(event.number, { mechanism });
    event.signal();
    for (let i = 0; i < 5; i++) expect(await poller.wait()).toBe(true);
  });

  it("wakes once for each of many signals", async () => {
    using event = new EventDescriptor();
    using poller = new Poller(event.number, { mechanism });
    let taken = 0n;
    for (let i = 0; i < 100; i++) {
      setImmediate(() => event.signal());
      while (taken <= i) {
        expect(await poller.wait()).toBe(true);
        taken += event.take();
      }
    }
    expect(taken).toBe(100n);
  });

  it("resolves to false when the signal aborts, and can wait again", async () => {
    using event = new EventDescriptor();
    using poller = new Poller(event.number, { mechanism });
    const abort = new AbortController();
    const waiting = poller.wait(abort.signal);
    abort.abort();
    expect(await waiting).toBe(false);
    expect(await poller.wait(abort.signal)).toBe(false);
    event.signal();
    expect(await poller.wait()).toBe(true);
  });

  it("resolves to false when it is closed, and is not waited for later", async () => {
    using event = new EventDescriptor();
    const poller = new Poller(event.number, { mechanism });
    const waiting = poller.wait();
    poller.close();
    poller.close();
    expect(await waiting).toBe(false);
    await expect(poller.wait()).rejects.toThrow(new ClosedError("poller"));
  });

  it("refuses a second waiter", async () => {
    using event = new EventDescriptor();
    using poller = new Poller(event.number, { mechanism });
    const abort = new AbortController();
    const first = poller.wait(abort.signal);
    await expect(poller.wait()).rejects.toThrow("has a waiter already");
    abort.abort();
    await first;
  });

  it("lets the process end when nobody waits", () => {
    const script = `
      import { EventDescriptor } from ${JSON.stringify(new URL("./event-descriptor.ts", import.meta.url).href)};
      import { Poller } from ${JSON.stringify(new URL("./poller.ts", import.meta.url).href)};
      const event = new EventDescriptor();
      const level = new Poller(event.number, { mechanism: ${JSON.stringify(mechanism)} });
      const edge = new Poller(new EventDescriptor().number, { mechanism: ${JSON.stringify(mechanism)}, edge: true });
      event.signal();
      await level.wait();
      event.take();
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 20);
      console.log(await level.wait(abort.signal));
    `;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 10_000,
    });
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe("false\n");
    expect(child.status).toBe(0);
  });
});
