// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { type BpfMap, type Collection, type CollectionSpec, load, MapType, RecordDecoder } from "@skep/ebpf";
import type { WorkloadContext } from "@skep/workload";
import { CollectorError } from "./collector-error.ts";
import type { CollectorSpec } from "./collector-spec.ts";
import { KernelLedger } from "./kernel-ledger.ts";
import type { Observation, ObservedStream, ReadObject } from "./observation.ts";
import { RecordPump } from "./record-pump.ts";
import { layoutStream, type StreamLayout } from "./stream-layout.ts";

/** What an observation is prepared from. */
export interface Preparation {
  readonly spec: CollectorSpec;
  readonly object: ReadObject;
  readonly context: WorkloadContext;
  /** What is in force: what does not change is taken from it, and stays its own until the change. */
  readonly before: Observation | undefined;
  /** Told when reading breaks off on its own. */
  readonly failed: (cause: unknown) => void;
}

/**
 * Does everything for a spec that may fail, but for attaching: loads, opens readers, sinks and streams. What was made is
 * undone when any of it fails.
 *
 * The same object with the same programs, variables and buffers keeps its collection. The same object with others is
 * loaded anew around the same maps, so that what lies in its buffers and what its programs remember stays.
 */
export async function prepare(preparation: Preparation): Promise<Observation> {
  const { spec, object, context, before, failed } = preparation;
  await using undo = new AsyncDisposableStack();
  const layouts = layoutStreams(object.spec, spec);
  const sinks = spec.sinks?.map((sink) => undo.use(context.openSink(sink, context.base)));
  const [collection, reused] = collectionFor(preparation);
  if (collection !== before?.collection) undo.use(collection);
  const streams: ObservedStream[] = [];
  for (const layout of layouts) {
    const map = collection.map(layout.map);
    const { engine, node, name: workload } = context;
    const known = before?.streams.find(({ pump }) => pump.map === map)?.pump;
    const pump = known ?? new RecordPump({ map, engine, node, workload, failed });
    if (known === undefined) undo.defer(() => pump.close());
    const writer = undo.use(context.rows.open(layout.schema, { workload, ...(sinks === undefined ? {} : { sinks }) }));
    streams.push({
      pump,
      route: { layout, decoder: decoderOf(layout), kernel: kernelLedgerOf(layout, collection), writer },
    });
  }
  undo.move();
  return { spec, object, collection, inherited: reused, streams, sinks: sinks ?? [] };
}

/** Resolves the streams of a spec against its object, and sets the sizes of their buffers in it. */
function layoutStreams(object: CollectionSpec, spec: CollectorSpec): StreamLayout[] {
  refuseTwice(
    "stream",
    spec.streams.map(({ name }) => name),
  );
  refuseTwice(
    "map",
    spec.streams.map(({ map }) => map),
  );
  refuseTwice("program", spec.programs?.map(({ name }) => name) ?? []);
  const layouts = spec.streams.map((stream) => layoutStream(object, stream));
  for (const { map: name, bufferBytes } of spec.streams) {
    const map = object.maps.get(name);
    if (map?.type === MapType.RINGBUF && bufferBytes !== undefined) map.maxEntries = bufferBytes;
  }
  return layouts;
}

function refuseTwice(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CollectorError(`${what} "${twice}" is listed twice`);
}

/** The collection for a spec, and the maps of earlier ones that it uses. */
function collectionFor({ spec, object, context, before }: Preparation): [Collection, ReadonlyMap<string, BpfMap>] {
  const sameObject = before !== undefined && Buffer.compare(before.object.bytes, object.bytes) === 0;
  if (sameObject && isDeepStrictEqual(loadedFrom(before.spec), loadedFrom(spec))) {
    return [before.collection, before.inherited];
  }
  const reused = sameObject ? mapsToKeep(before, object.spec) : new Map<string, BpfMap>();
  const collection = load(object.spec, {
    engine: context.engine,
    maps: reused,
    ...(spec.variables === undefined ? {} : { variables: spec.variables }),
    ...(spec.programs === undefined ? {} : { programs: spec.programs.map(({ name }) => name) }),
  });
  return [collection, reused];
}

/** The part of a spec that decides what is loaded and attached. */
function loadedFrom({ programs, variables, streams }: CollectorSpec): unknown {
  return { programs, variables, buffers: streams.map(({ map, bufferBytes }) => ({ map, bufferBytes })) };
}

/** Maps but those of data sections, which hold the variables, and buffers whose size changes. */
function mapsToKeep(before: Observation, object: CollectionSpec): ReadonlyMap<string, BpfMap> {
  const kept = new Map<string, BpfMap>();
  for (const [name, map] of before.collection.maps) {
    const wanted = object.maps.get(name);
    const resized = wanted?.type === MapType.RINGBUF && wanted.maxEntries !== map.spec.maxEntries;
    if (wanted !== undefined && wanted.data === undefined && !resized) kept.set(name, map);
  }
  return kept;
}

function decoderOf({ time, layouts, recordSize }: StreamLayout): RecordDecoder {
  return new RecordDecoder(time === undefined ? layouts : [time, ...layouts], { recordSize });
}

function kernelLedgerOf({ ledger }: StreamLayout, collection: Collection): KernelLedger | undefined {
  return ledger === undefined ? undefined : new KernelLedger(collection.map(ledger));
}
