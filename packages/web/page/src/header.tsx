// SPDX-License-Identifier: Apache-2.0

import type { WireInfo } from "../../src/wire.ts";
import { duration } from "./format.ts";
import type { Connection } from "./use-overview.ts";

const CONNECTION: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
  refused: "Signed out",
};

/** The mark, what this is connected to, and whether it is. */
export function Header({
  info,
  now,
  connection,
}: {
  info: WireInfo | undefined;
  now: number | undefined;
  connection: Connection;
}) {
  return (
    <header class="header">
      <h1 class="brand">
        <Mark />
        Skep
      </h1>
      {info !== undefined && now !== undefined && (
        <dl class="facts">
          <Fact name="Node" value={info.node} />
          <Fact name="Kernel" value={info.kernel} />
          <Fact
            name="Up"
            value={duration((now - Date.parse(info.startedAt)) / 1000)}
            title={`since ${info.startedAt}`}
          />
          <Fact name="Version" value={info.version} />
        </dl>
      )}
      <p class={`connection ${connection}`} role="status">
        {CONNECTION[connection]}
      </p>
    </header>
  );
}

function Fact({ name, value, title }: { name: string; value: string; title?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={title ?? value}>{value}</dd>
    </div>
  );
}

/** A skep: rings of straw, one on the other, and a way in. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" fill="currentColor">
      <rect x="8.5" y="2.5" width="7" height="3.4" rx="1.7" />
      <rect x="5.6" y="6.7" width="12.8" height="3.4" rx="1.7" />
      <rect x="3.6" y="10.9" width="16.8" height="3.4" rx="1.7" />
      <rect x="2.4" y="15.1" width="19.2" height="3.4" rx="1.7" />
      <path d="M4.1 19.3h5.7v2.4H4.1a1.2 1.2 0 0 1 0-2.4Zm10.1 0h5.7a1.2 1.2 0 0 1 0 2.4h-5.7Z" />
    </svg>
  );
}
