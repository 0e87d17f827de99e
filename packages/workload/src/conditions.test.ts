// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { Conditions } from "./conditions.ts";

describe("Conditions", () => {
  it("moves `since` only when the status changes", () => {
    let time = 1;
    const conditions = new Conditions(() => new Date(time++));
    expect(conditions.set("Ready", "False", "LoadFailed", "no such file")).toBe(true);
    expect(conditions.set("Ready", "False", "LoadFailed", "no such file")).toBe(false);
    expect(conditions.set("Ready", "False", "AttachFailed", "no such tracepoint")).toBe(true);
    expect(conditions.get("Ready")).toEqual({
      type: "Ready",
      status: "False",
      reason: "AttachFailed",
      message: "no such tracepoint",
      since: new Date(1),
    });
    conditions.set("Ready", "True", "Running", "");
    expect(conditions.get("Ready")?.since).toEqual(new Date(2));
  });

  it("derives the phase", () => {
    const conditions = new Conditions();
    expect(conditions.phase).toBe("Starting");
    conditions.set("Ready", "Unknown", "Starting", "");
    expect(conditions.phase).toBe("Starting");
    conditions.set("Ready", "True", "Running", "");
    conditions.set("SinksHealthy", "True", "Writing", "");
    expect(conditions.phase).toBe("Running");
    conditions.set("SinksHealthy", "False", "Retrying", "disk full");
    expect(conditions.phase).toBe("Degraded");
    conditions.set("Ready", "False", "LoadFailed", "");
    expect(conditions.phase).toBe("Failed");
    conditions.set("Ready", "False", "Stopped", "");
    expect(conditions.phase).toBe("Stopped");
    expect(conditions.delete("Ready")).toBe(true);
    expect(conditions.delete("Ready")).toBe(false);
    expect(conditions.status(3)).toMatchObject({
      phase: "Starting",
      generation: 3,
      conditions: [{ type: "SinksHealthy" }],
    });
  });

  it("hands out lists that later changes leave alone", () => {
    const conditions = new Conditions();
    conditions.set("Ready", "True", "Running", "");
    const before = conditions.list();
    conditions.set("Ready", "False", "Gone", "");
    expect(before).toMatchObject([{ status: "True" }]);
  });
});
