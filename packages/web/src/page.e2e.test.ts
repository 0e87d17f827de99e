// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { MemoryBackend } from "../test/memory-backend.ts";
import { newToken, startServer, type WebServer } from "./server.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WAIT = { timeout: 10_000 };

let browser: Browser | undefined;
let backend: MemoryBackend;
let server: WebServer;
let page: Page;
let complaints: string[];

async function openPage(context: TestContext, viewport = { width: 1440, height: 900 }): Promise<void> {
  if (!existsSync(CHROMIUM)) context.skip("no Chromium: apt-get install chromium");
  if (!existsSync(new URL("../page/dist/index.html", import.meta.url))) {
    context.skip("the page is not built: npm run build:page");
  }
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  page = await browser.newPage({ viewport });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await page.goto(server.address);
}

/** Rows that are on the page, as texts. */
const rows = (): Promise<string[]> => page.locator("tr[data-row]").allInnerTexts();
const filter = (): ReturnType<Page["locator"]> => page.getByLabel("Filter", { exact: true });
const execs = (first: number, count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({
    pid: first + index,
    ppid: 1,
    uid: index % 2 === 0 ? 0 : 1000,
    comm: index % 2 === 0 ? "bash" : "git",
    filename: "/usr/bin/x",
    args: ["run", `tag ${first + index}`],
    args_truncated: false,
    cgroup: 18_446_744_073_709_551_615n,
  }));

beforeEach(async () => {
  complaints = [];
  backend = new MemoryBackend();
  server = await startServer({ backend, host: "127.0.0.1", port: 0, token: newToken() });
});

afterEach(async () => {
  await page?.close();
  await server.close();
});

afterAll(() => browser?.close());

describe("the page in Chromium", () => {
  it("shows rows as they come, newest first, exactly, and keeps the token out of its address", async (context) => {
    backend.add("exec", execs(100, 3));
    await openPage(context);
    expect(page.url()).toBe(`http://127.0.0.1:${server.port}/`);
    await expect.poll(async () => (await rows()).length, WAIT).toBe(3);
    backend.add("exec", execs(200, 2));
    await expect.poll(async () => (await rows()).length, WAIT).toBe(5);
    const [newest] = await rows();
    expect(newest).toContain("201");
    expect(newest).toContain("run 'tag 201'");
    expect(newest).toContain("18446744073709551615");
    expect(complaints).toEqual([]);
  });

  it("filters, remembers the filter in its address, and says where a bad one is wrong", async (context) => {
    backend.add("exec", execs(100, 10));
    await openPage(context);
    await filter().fill('comm = "git" and uid = 1000');
    await expect.poll(async () => (await rows()).length, WAIT).toBe(5);
    expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).get("where")).toBe('comm = "git" and uid = 1000');
    await page.reload();
    await expect.poll(async () => (await rows()).length, WAIT).toBe(5);

    await filter().fill("comm = git and uid = many");
    await expect.poll(() => page.locator(".filter-problem").innerText(), WAIT).toContain("whole number");
    expect(await page.locator(".filter-problem mark").innerText()).toBe("m");
    // The rows of the filter before go on.
    backend.add("exec", execs(200, 2));
    await expect.poll(async () => (await rows()).length, WAIT).toBe(6);

    await filter().fill("");
    await expect.poll(async () => (await rows()).length, WAIT).toBe(12);
    expect(complaints).toEqual([expect.stringContaining("status of 400")]);
  });

  it("stands still while paused, and counts what comes", async (context) => {
    backend.add("exec", execs(100, 3));
    await openPage(context);
    await expect.poll(async () => (await rows()).length, WAIT).toBe(3);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    backend.add("exec", execs(200, 4));
    const pill = page.getByRole("button", { name: "4 new rows" });
    await pill.waitFor(WAIT);
    expect(await rows()).toHaveLength(3);
    await pill.click();
    await expect.poll(async () => (await rows()).length, WAIT).toBe(7);
  });

  it("keeps few rows in the document however many there are, and stands still when scrolled", async (context) => {
    backend.add("exec", execs(1, 2000));
    await openPage(context);
    await expect.poll(async () => (await rows()).length, WAIT).toBeGreaterThan(20);
    expect((await rows()).length).toBeLessThan(100);
    await page.locator(".table-box").evaluate((box) => box.scrollTo({ top: 3000 }));
    await expect.poll(async () => (await rows())[0], WAIT).toContain("1897");
    backend.add("exec", execs(5000, 7));
    await page.getByRole("button", { name: "7 new rows" }).waitFor(WAIT);
    await page.getByRole("button", { name: "7 new rows" }).click();
    await expect.poll(async () => (await rows())[0], WAIT).toContain("5006");
  });

  it("shows every column of a row, and narrows the filter to one of its values", async (context) => {
    backend.add("exec", execs(100, 4));
    await openPage(context);
    await page.locator("tr[data-row]").first().click(WAIT);
    const detail = page.getByRole("complementary", { name: "Row" });
    await expect.poll(() => detail.innerText(), WAIT).toContain("Id of the control group");
    expect(await detail.innerText()).toContain("willow");
    await detail.getByTitle("Show only rows with this comm").click();
    await expect.poll(async () => (await rows()).length, WAIT).toBe(2);
    expect(await filter().inputValue()).toBe('comm = "git"');
  });

  it("never hides a loss, and calls counts that stand still and do not add up a bug", async (context) => {
    backend.count("exec", {
      kernel: { seen: 1500, filtered: 0, failed: 345, submitted: 1155 },
      reader: { read: 1150, discarded: 0, lost: 0 },
      decoder: { decoded: 1150, malformed: 0 },
      differences: [{ law: "submitted = read + discarded", difference: 5 }],
    });
    await openPage(context);
    const ledger = page.getByRole("region", { name: "Ledger" });
    await expect.poll(() => ledger.innerText(), WAIT).toContain("345 lost");
    expect(await ledger.innerText()).toContain("A larger ring, or a filter in the kernel, helps.");
    await expect.poll(() => ledger.innerText(), WAIT).toContain("That is a bug in Skep");
    expect(await ledger.innerText()).toContain("submitted = read + discarded +5");
    expect(await page.getByLabel("Events were lost").count()).toBe(1);
  });

  it("says everywhere that a recording is played, why, and what would change it", async (context) => {
    backend.details = {
      recording: true,
      notice: {
        title: "eBPF is not allowed here.",
        why: "CAP_BPF is missing.",
        remedy: ["Run as root: `sudo npm start`"],
      },
    };
    backend.add("exec", execs(1, 1));
    await openPage(context);
    const notice = page.getByRole("region", { name: "Notice" });
    await expect.poll(() => notice.innerText(), WAIT).toContain("recorded earlier on another machine");
    expect(await notice.innerText()).toContain("CAP_BPF is missing.");
    await notice.getByText("What would change it").click();
    expect(await notice.locator("code").innerText()).toBe("sudo npm start");
    for (const place of [".plot", ".toolbar"]) {
      expect(await page.locator(place).getByText("Recording").isVisible()).toBe(true);
    }
  });

  it("shows the state of each workload and reads the manifests again when asked", async (context) => {
    const condition = { type: "Ready", status: "False", reason: "LoadFailed", message: "exec.bpf.o: no BTF" } as const;
    backend.hosted = [
      {
        kind: "Collector",
        name: "exec",
        labels: { site: "ams" },
        status: { phase: "Failed", generation: 1, conditions: [{ ...condition, since: new Date() }] },
      },
    ];
    await openPage(context);
    const panel = page.getByRole("region", { name: "Workloads" });
    await expect.poll(() => panel.innerText(), WAIT).toContain("exec.bpf.o: no BTF");
    await panel.getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => panel.innerText(), WAIT).toContain("Read again.");
    expect(backend.reloads).toBe(1);
  });

  it("says so when the connection breaks, and goes on without losing or doubling rows", async (context) => {
    backend.add("exec", execs(1, 3));
    await openPage(context);
    await expect.poll(async () => (await rows()).length, WAIT).toBe(3);
    const { port, address } = server;
    const token = new URL(address).searchParams.get("token") ?? "";
    await server.close();
    await page.getByText("Reconnecting").waitFor(WAIT);
    backend.add("exec", execs(10, 2));
    server = await startServer({ backend, host: "127.0.0.1", port, token });
    await page.getByText("Live", { exact: true }).waitFor(WAIT);
    await expect.poll(async () => (await rows()).length, WAIT).toBe(5);
  });

  it("fits a telephone: nothing but the table scrolls sideways", async (context) => {
    backend.add("exec", execs(1, 50));
    await openPage(context, { width: 390, height: 844 });
    await expect.poll(async () => (await rows()).length, WAIT).toBeGreaterThan(5);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await page.locator(".table-box").evaluate((box) => box.scrollWidth > box.clientWidth)).toBe(true);
    await page.getByText("Columns").click();
    await page.getByLabel("cgroup").uncheck();
    expect(await page.locator("th", { hasText: "cgroup" }).count()).toBe(0);
  });
});
