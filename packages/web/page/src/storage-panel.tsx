// SPDX-License-Identifier: Apache-2.0

import type { WireInfo } from "../../src/wire.ts";
import { bytes, duration } from "./format.ts";

/** Where rows are kept, how much there is, and how long they stay. */
export function StoragePanel({
  storage: { kind, location, bytes: used, retention },
}: {
  storage: WireInfo["storage"];
}) {
  const limits = [
    ...(retention.age === undefined ? [] : [duration(retention.age)]),
    ...(retention.size === undefined ? [] : [bytes(retention.size)]),
  ];
  return (
    <section class="panel storage" aria-label="Store">
      <h2>Store</h2>
      <dl>
        <div>
          <dt>{kind === "embedded" ? "PostgreSQL in" : "PostgreSQL at"}</dt>
          <dd class="mono" title={location}>
            {location}
          </dd>
        </div>
        <div>
          <dt>In use</dt>
          <dd>{used === undefined ? "unknown" : bytes(used)}</dd>
        </div>
        <div>
          <dt>Kept of each stream</dt>
          <dd>{limits.length === 0 ? "everything" : limits.join(" or ")}</dd>
        </div>
      </dl>
    </section>
  );
}
