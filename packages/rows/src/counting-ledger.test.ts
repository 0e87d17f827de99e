// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { CountingLedger } from "./counting-ledger.ts";

const sink = { sink: "store", offered: 6, written: 4, dropped: 1, pending: 1, retries: 0 };

function ledgerWith(changes: { submitted?: number; read?: number; pending?: number; offered?: number }) {
  const ledger = new CountingLedger("exec", "w", () => [
    { ...sink, pending: changes.pending ?? sink.pending, offered: changes.offered ?? sink.offered },
  ]);
  ledger.setKernel(() => ({ seen: 12, filtered: 2, failed: 2, submitted: changes.submitted ?? 8 }));
  ledger.setReader(() => ({ read: changes.read ?? 7, discarded: 1, lost: 0 }));
  ledger.countDecoded(4, 1);
  ledger.countDecoded(2, 0);
  return ledger.snapshot();
}

describe("CountingLedger", () => {
  it("adds up what was decoded and finds no difference where all laws hold", () => {
    const snapshot = ledgerWith({});
    expect(snapshot).toMatchObject({
      stream: "exec",
      workload: "w",
      decoder: { decoded: 6, malformed: 1 },
      differences: [],
    });
  });

  it("names each law that does not hold, and by how much", () => {
    expect(ledgerWith({ submitted: 9 }).differences).toEqual([
      { law: "seen = filtered + failed + submitted", difference: -1 },
      { law: "submitted = read + discarded", difference: 1 },
    ]);
    expect(ledgerWith({ read: 5 }).differences).toEqual([
      { law: "submitted = read + discarded", difference: 2 },
      { law: "read = decoded + malformed", difference: -2 },
    ]);
    expect(ledgerWith({ pending: 0 }).differences).toEqual([
      { law: "offered = written + dropped + pending (store)", difference: 1 },
    ]);
    expect(ledgerWith({ offered: 7 }).differences).toEqual([
      { law: "decoded = offered (store)", difference: -1 },
      { law: "offered = written + dropped + pending (store)", difference: 1 },
    ]);
  });

  it("asks nothing of stages that a stream does not have", () => {
    const ledger = new CountingLedger("s", "w", () => []);
    ledger.countDecoded(3, 0);
    expect(ledger.snapshot()).toMatchObject({ kernel: undefined, reader: { read: 0 }, differences: [] });
  });
});
