// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync } from "node:fs";
import { promisify } from "node:util";
import { SkepProcess, TEST_USER, TempFolder } from "@skep/testbed";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const WAIT = { timeout: 15_000 };

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
});

afterAll(() => browser?.close());

const rows = (page: Page): Promise<string[]> => page.locator("tr[data-row]").allInnerTexts();

describe("the page of a running skep up", () => {
  it("shows executed programs as they come, filters them, and shows that nothing was lost", async () => {
    using folder = new TempFolder();
    await using up = await SkepProcess.up(folder.join("data"));
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(up.address.href);
    const tag = randomBytes(6).toString("hex");
    await page.getByLabel("Filter", { exact: true }).fill(`args contains "${tag}"`);
    for (let i = 0; i < 3; i++) await run("/bin/true", [tag, String(i)]);
    await expect.poll(async () => (await rows(page)).length, WAIT).toBe(3);
    const [newest] = await rows(page);
    expect(newest).toContain(`/bin/true ${tag} 2`);
    expect(await page.getByLabel("Ledger").innerText()).toContain("nothing lost");
    expect(await page.getByText("Recording", { exact: true }).count()).toBe(0);
    await page.close();
  });

  it("says everywhere that a recording is a recording, on a telephone too", async () => {
    using folder = new TempFolder();
    const data = folder.join("data");
    mkdirSync(data);
    chownSync(data, TEST_USER, TEST_USER);
    await using up = await SkepProcess.up(data, [], { capabilities: [] });
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(up.address.href);
    await expect.poll(async () => (await rows(page)).length, WAIT).toBeGreaterThan(0);
    expect(await page.getByLabel("Notice").innerText()).toMatch(/recorded earlier.*CAP_BPF/s);
    expect(await page.getByText("Recording", { exact: true }).count()).toBeGreaterThan(1);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBe(390);
    await page.close();
  });
});
