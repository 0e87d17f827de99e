// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Overview, WireStream } from "../../src/wire.ts";
import { FilterBox } from "./filter-box.tsx";
import { type Place, usePlace } from "./hash.ts";
import { Header } from "./header.tsx";
import { LedgerPanel } from "./ledger-panel.tsx";
import { NoticeBanner } from "./notice-banner.tsx";
import { RatePlot } from "./rate-plot.tsx";
import { both, columnsOf, filterFor, type Row } from "./row.ts";
import { RowDetail } from "./row-detail.tsx";
import { RowTable } from "./row-table.tsx";
import { StoragePanel } from "./storage-panel.tsx";
import { StreamTabs } from "./stream-tabs.tsx";
import { TableTools } from "./table-tools.tsx";
import { useColumns } from "./use-columns.ts";
import { useLiveRows } from "./use-live-rows.ts";
import { type OverviewState, useOverview } from "./use-overview.ts";
import { WorkloadPanel } from "./workload-panel.tsx";

/** The page. */
export function App() {
  const state = useOverview();
  const { overview, connection } = state;
  const [place, go] = usePlace();
  return (
    <>
      <Header info={overview?.info} now={overview?.now} connection={connection} />
      {connection === "refused" && (
        <Message title="The token is not valid any more">
          Skep was started again and has a new one. Open the address that it printed.
        </Message>
      )}
      {overview !== undefined && <NoticeBanner info={overview.info} />}
      {overview === undefined && connection === "lost" && (
        <Message title="Skep does not answer">This page keeps trying.</Message>
      )}
      {overview !== undefined && <Operations overview={overview} state={state} place={place} go={go} />}
    </>
  );
}

function Message({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="message" role="alert">
      <strong>{title}</strong> {children}
    </div>
  );
}

interface OperationsProps {
  overview: Overview;
  state: OverviewState;
  place: Place;
  go: (place: Place) => void;
}

function Operations({ overview, state, place, go }: OperationsProps) {
  const { streams, workloads, info } = overview;
  const stream = streams.find(({ schema }) => schema.name === place.stream) ?? streams[0];
  useEffect(() => {
    document.title = stream === undefined ? `${info.node} – Skep` : `${stream.schema.name} – ${info.node} – Skep`;
  }, [stream?.schema.name, info.node]);
  return (
    <div class="layout">
      <main class="observed">
        {stream === undefined ? (
          <p class="empty">No stream is open. The state of each workload says why.</p>
        ) : (
          <>
            <StreamTabs
              streams={streams}
              current={stream}
              rates={state.rates}
              ledgers={overview.ledgers}
              place={place}
            />
            <RatePlot
              key={stream.schema.name}
              series={state.rates.get(stream.schema.name)}
              now={overview.now}
              recording={info.recording}
            />
            <StreamRows key={stream.schema.name} stream={stream} recording={info.recording} place={place} go={go} />
          </>
        )}
      </main>
      <div class="side">
        <LedgerPanel ledgers={overview.ledgers} changedAt={state.changedAt} current={stream?.schema.name} />
        <WorkloadPanel workloads={workloads} />
        <StoragePanel storage={info.storage} />
      </div>
    </div>
  );
}

interface StreamRowsProps {
  stream: WireStream;
  recording: boolean;
  place: Place;
  go: (place: Place) => void;
}

function StreamRows({ stream, recording, place, go }: StreamRowsProps) {
  const name = stream.schema.name;
  const { view, live } = useLiveRows(name, place.where);
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(false);
  const [selected, select] = useState<Row>();
  const all = columnsOf(stream);
  const [shown, toggle] = useColumns(name, all);
  useEffect(() => live.hold(paused || away), [live, paused, away]);

  const applyFilter = (where: string): void => go({ stream: name, where });
  return (
    <section class="panel rows" aria-label={`Rows of ${name}`}>
      <div class="toolbar">
        <FilterBox where={place.where} problem={view.problem} columns={all} apply={applyFilter} />
        <TableTools
          columns={all}
          shown={shown}
          toggle={toggle}
          paused={paused}
          setPaused={setPaused}
          recording={recording}
          view={view}
        />
      </div>
      <RowTable
        columns={all.filter((column) => shown.has(column.name))}
        view={view}
        selected={selected}
        select={select}
        setAway={setAway}
        paused={paused}
        resume={() => setPaused(false)}
        loadOlder={() => void live.loadOlder()}
        clearFilter={() => applyFilter("")}
      />
      {selected !== undefined && (
        <RowDetail
          stream={stream}
          columns={all}
          row={selected}
          close={() => select(undefined)}
          narrow={(column, value) => {
            const clause = filterFor(column, value);
            if (clause !== undefined) applyFilter(both(place.where, clause));
          }}
        />
      )}
    </section>
  );
}
