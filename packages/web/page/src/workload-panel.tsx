// SPDX-License-Identifier: Apache-2.0

import { useState } from "preact/hooks";
import type { WireCondition, WireError, WireWorkload } from "../../src/wire.ts";
import { duration } from "./format.ts";

/** What runs, and how it is doing. */
export function WorkloadPanel({ workloads }: { workloads: readonly WireWorkload[] }) {
  return (
    <section class="panel workloads" aria-label="Workloads">
      <div class="panel-head">
        <h2>Workloads</h2>
        <ReloadButton />
      </div>
      {workloads.length === 0 && (
        <p class="empty">
          Nothing runs. <code>skep run -f FILE</code> runs a manifest.
        </p>
      )}
      {workloads.map((workload) => (
        <Workload key={`${workload.kind}/${workload.name}`} workload={workload} />
      ))}
    </section>
  );
}

function Workload({ workload: { kind, name, labels, status } }: { workload: WireWorkload }) {
  return (
    <article class="workload">
      <h3>
        <span class="kind">{kind}</span> {name}
        <span class={`phase ${status.phase.toLowerCase()}`}>{status.phase}</span>
      </h3>
      <p class="labels">
        {Object.entries(labels).map(([key, value]) => (
          <span key={key}>
            {key}={value}
          </span>
        ))}
        <span title="How many specs came into force">generation {status.generation}</span>
      </p>
      <ul class="conditions">
        {status.conditions.map((condition) => (
          <Condition key={condition.type} condition={condition} />
        ))}
      </ul>
    </article>
  );
}

function Condition({ condition: { type, status, reason, message, since } }: { condition: WireCondition }) {
  return (
    <li class={status.toLowerCase()}>
      <b>{status === "True" ? type : `${type}: ${status}`}</b> <span class="reason">{reason}</span>
      <time dateTime={since} title={since}>
        {duration((Date.now() - Date.parse(since)) / 1000)}
      </time>
      <p>{message}</p>
    </li>
  );
}

function ReloadButton() {
  const [state, setState] = useState<{ busy: boolean; message?: string; failed?: boolean }>({ busy: false });
  const reload = async (): Promise<void> => {
    setState({ busy: true });
    try {
      const response = await fetch("api/reload", { method: "POST" });
      if (response.ok) setState({ busy: false, message: "Read again." });
      else setState({ busy: false, failed: true, message: ((await response.json()) as WireError).error.message });
    } catch {
      setState({ busy: false, failed: true, message: "Skep does not answer." });
    }
  };
  return (
    <>
      <span class={`reload-result ${state.failed === true ? "bad" : ""}`} role="status">
        {state.message}
      </span>
      <button type="button" disabled={state.busy} onClick={() => void reload()} title="Read the manifests again">
        Reload
      </button>
    </>
  );
}
