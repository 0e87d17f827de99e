// SPDX-License-Identifier: Apache-2.0

import type { LiveView } from "./live-rows.ts";

/** Below the last row: older ones, or that there are none. */
export function OlderRows({ view, loadOlder }: { view: LiveView; loadOlder: () => void }) {
  if (view.older === "none") return <p class="table-end">No older rows in the store.</p>;
  return (
    <p class="table-end">
      <button type="button" onClick={loadOlder} disabled={view.older === "loading"}>
        {view.older === "loading" ? "Loading…" : "Load older rows from the store"}
      </button>
    </p>
  );
}

/** Instead of rows: why there are none, and what to do. */
export function EmptyTable({ view, clearFilter }: { view: LiveView; clearFilter: () => void }) {
  if (view.state === "connecting" && view.problem === undefined) return <p class="empty">Connecting…</p>;
  if (view.older === "loading") return <p class="empty">Looking in the store…</p>;
  if (view.problem !== undefined) {
    return <p class="empty">The filter cannot be understood; the message above says where.</p>;
  }
  if (view.where !== "") {
    return (
      <p class="empty">
        No row passes this filter yet. One that does appears here at once.
        <button type="button" onClick={clearFilter}>
          Clear the filter
        </button>
      </p>
    );
  }
  return (
    <p class="empty">
      Nothing has happened on this stream yet. Rows appear here as soon as something does; the workloads beside this
      table say whether anything watches.
    </p>
  );
}
