// SPDX-License-Identifier: Apache-2.0

import { BtfKind, type CollectionSpec, type ColumnLayout, columnsOf, isRecordMap, type MapSpec } from "@skep/ebpf";
import type { Column, RowSchema } from "@skep/rows";
import { CollectorError } from "./collector-error.ts";
import type { StreamSpec } from "./collector-spec.ts";
import { withMeaning } from "./field-meaning.ts";

/** A stream of a collector, resolved against its object. */
export interface StreamLayout {
  readonly schema: RowSchema;
  /** The map that carries the records. */
  readonly map: string;
  /** The per-CPU array that holds the stream's ledger; undefined when the object keeps none. */
  readonly ledger: string | undefined;
  /** Bytes of a whole record. */
  readonly recordSize: number;
  /**
   * The field that gives a row its time: the one that the column `time` names, else the field `time`, else the record's
   * first `skep_ktime`. Undefined when it has none.
   */
  readonly time: ColumnLayout | undefined;
  /** Fields to decode, in the order of the schema's columns. */
  readonly layouts: readonly ColumnLayout[];
}

/** Resolves a stream of the spec. Throws CollectorError when the object has no such map, struct or field. */
export function layoutStream(object: CollectionSpec, stream: StreamSpec): StreamLayout {
  const place = `stream "${stream.name}"`;
  const map = object.maps.get(stream.map);
  if (map === undefined) {
    throw new CollectorError(`${place}: the object has no map "${stream.map}"; it has ${list(recordMaps(object))}`);
  }
  if (!isRecordMap(map.type)) {
    throw new CollectorError(
      `${place}: map "${stream.map}" carries no records; ring buffers and perf event arrays of the object: ${list(recordMaps(object))}`,
    );
  }
  const { btf } = object;
  if (btf === undefined) {
    throw new CollectorError(`${place}: the object has no BTF to read its records by; compile it with -g`);
  }
  const typeId = recordType(object, map, stream);
  const fields = columnsOf(btf, typeId);
  const chosen =
    stream.columns?.map((column) => {
      const name = column.field ?? column.name;
      const layout = fields.find((field) => field.name === name);
      if (layout === undefined) {
        throw new CollectorError(
          `${place}: struct "${btf.typeById(btf.resolve(typeId)).name}" has no field "${name}" for column "${column.name}"; it has ${list(fields.map((field) => field.name))}`,
        );
      }
      const meant =
        column.meaning === undefined
          ? layout
          : withMeaning(layout, column.meaning, `${place}, column "${column.name}"`);
      return { layout: meant, column: describe(column.name, meant, column.description) };
    }) ?? fields.map((layout) => ({ layout, column: describe(layout.name, layout) }));

  // Every row has a time already: the field that gives it would be a second column of that name.
  const own = chosen.find(({ column, layout }) => column.name === "time" && layout.encoding === "ktime");
  const visible = chosen.filter((entry) => entry !== own);
  const taken = visible.find(({ column }) => reserved.has(column.name));
  if (taken !== undefined) {
    throw new CollectorError(`${place}: column "${taken.column.name}" is one that every row has; give it another name`);
  }
  const layouts = visible.map(({ layout }) => layout);

  const ledger = stream.ledger ?? `${stream.map}_ledger`;
  if (stream.ledger !== undefined && !object.maps.has(ledger)) {
    throw new CollectorError(
      `${place}: the object has no map "${ledger}" for the ledger; it has ${list(object.maps.keys())}`,
    );
  }
  return {
    schema: {
      name: stream.name,
      ...(stream.description === undefined ? {} : { description: stream.description }),
      columns: visible.map(({ column }) => column),
    },
    map: stream.map,
    ledger: object.maps.has(ledger) ? ledger : undefined,
    recordSize: btf.sizeOf(typeId),
    time:
      own?.layout ??
      fields.find((field) => field.name === "time" && isKtime(field)) ??
      [...fields, ...layouts].find(isKtime),
    layouts,
  };
}

const reserved = new Set(["time", "node", "workload"]);

function isKtime(layout: ColumnLayout): boolean {
  return layout.encoding === "ktime";
}

function describe(name: string, layout: ColumnLayout, description?: string): Column {
  return { name, type: layout.type, ...(description === undefined ? {} : { description }) };
}

function recordType(object: CollectionSpec, map: MapSpec, stream: StreamSpec): number {
  const { btf } = object;
  if (stream.record !== undefined) {
    const id = btf?.idsByName(stream.record, BtfKind.STRUCT)[0];
    if (id === undefined)
      throw new CollectorError(`stream "${stream.name}": the object's BTF has no struct "${stream.record}"`);
    return id;
  }
  if (map.valueTypeId === 0) {
    throw new CollectorError(
      `stream "${stream.name}": map "${stream.map}" does not say what its records are; name the struct with "record", or declare the map with __type(value, struct …)`,
    );
  }
  return map.valueTypeId;
}

function recordMaps(object: CollectionSpec): string[] {
  return [...object.maps.values()].filter((map) => isRecordMap(map.type)).map((map) => map.name);
}

function list(names: Iterable<string>): string {
  return [...names].join(", ") || "none";
}
