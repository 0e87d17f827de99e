// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, mapTypeName, SkepError } from "@skep/ebpf";
import { listMaps, type MapInfo, type ObjectHolder, ObjectHolders } from "@skep/kernel";
import { chooseMap } from "../bpf/choose-object.ts";
import { formatHolders } from "../bpf/describe.ts";
import { MapView } from "../bpf/map-view.ts";
import { pinObject } from "../bpf/pin-object.ts";
import { formatMapValue } from "../bpf/value-text.ts";
import { watchMap } from "../bpf/watch-map.ts";
import { onInterrupt } from "../interrupt.ts";
import { formatFields } from "../output/fields.ts";
import { type OutputFormat, printData, printItems, printList, printPieces } from "../output/format.ts";
import { print } from "../output/print.ts";
import { printableJson } from "../output/safe-text.ts";
import { isNarrow } from "../output/terminal.ts";

interface Output {
  readonly output: OutputFormat;
}

/** `skep bpf map list`: the maps in the kernel. */
export async function bpfMapList({ output }: Output): Promise<void> {
  const more = !isNarrow();
  await printList(
    describe(listMaps()),
    output,
    ["ID", "TYPE", "NAME", "KEY", "VALUE", "ENTRIES", ...(more ? ["FLAGS", "MEMORY"] : []), "PROCESSES"],
    ({ id, type, name, keySize, valueSize, maxEntries, flags, memory, processes }) => [
      String(id),
      type,
      name,
      String(keySize),
      String(valueSize),
      String(maxEntries),
      ...(more ? [`0x${flags.toString(16)}`, String(memory ?? "")] : []),
      formatHolders(processes),
    ],
  );
}

/** `skep bpf map show`: one of them. */
export async function bpfMapShow(text: string, { output }: Output): Promise<void> {
  const [map] = describe([infoOf(text)]);
  if (map === undefined) return;
  if (output !== "table") {
    await printData(map, output);
    return;
  }
  await print(
    formatFields([
      ["id", String(map.id)],
      ["type", map.type],
      ["name", map.name],
      ["key", `${map.keySize} bytes`],
      ["value", `${map.valueSize} bytes`],
      ["entries", `${map.maxEntries} at most`],
      ["flags", `0x${map.flags.toString(16)}`],
      ["frozen", map.frozen === true ? "user space may not write" : undefined],
      ["memory", map.memory === undefined ? undefined : `${map.memory} bytes`],
      ["btf", map.btfId === 0 ? undefined : String(map.btfId)],
      ["processes", map.processes.map(({ pid, name }) => `${name} (${pid})`).join(", ")],
    ]),
  );
}

/** Gives it up again at once: this command is none of the processes that hold it. */
function infoOf(text: string): MapInfo {
  using map = chooseMap(text);
  return map.info();
}

/** `skep bpf map dump`: every entry. */
export async function bpfMapDump(text: string, { output }: Output): Promise<void> {
  using view = new MapView(text);
  if (output === "table") await printPieces(linesOf(view));
  else await printItems(shownBy(view), output);
}

/** `skep bpf map get`: the value of a key. */
export async function bpfMapGet(text: string, keyText: string, { output }: Output): Promise<void> {
  using view = new MapView(text);
  const key = view.key(keyText);
  const value = view.lookup(key);
  if (value === undefined) throw new SkepError("ERR_NOT_FOUND", `${view.title} has no key ${keyText}`);
  if (output !== "table") await printData(view.show({ key, value }), output);
  else await print(printableJson(`${formatMapValue(view.show({ key, value }).value)}\n`));
}

/** What `skep bpf map set` takes. */
export interface MapSetOptions {
  /** Only a key that is not there yet. */
  readonly create?: boolean;
  /** Only a key that is there. */
  readonly replace?: boolean;
}

/** `skep bpf map set`: writes an entry. */
export async function bpfMapSet(
  text: string,
  keyText: string,
  valueText: string,
  { create = false, replace = false }: MapSetOptions,
): Promise<void> {
  if (create && replace) throw new InvalidValueError("a key cannot be there and not be there: --create or --replace");
  using view = new MapView(text);
  view.update(view.key(keyText), valueText, create ? "create" : replace ? "replace" : "any");
}

/** `skep bpf map delete`: removes an entry. */
export async function bpfMapDelete(text: string, keyText: string): Promise<void> {
  using view = new MapView(text);
  if (view.delete(view.key(keyText))) return;
  throw new SkepError("ERR_NOT_FOUND", `${view.title} has no key ${keyText}`);
}

/** `skep bpf map pin`: gives it a name in a BPF file system. */
export async function bpfMapPin(text: string, path: string): Promise<void> {
  using view = new MapView(text);
  pinObject(view.map, path);
}

/** `skep bpf map watch`: what changes from one look to the next, until interrupted. `interval` is in seconds. */
export async function bpfMapWatch(
  text: string,
  { output, interval }: Output & { readonly interval: number },
): Promise<void> {
  using interrupt = onInterrupt();
  using view = new MapView(text);
  await watchMap(view, output, interval, interrupt.signal);
}

function* shownBy(view: MapView): Generator<ReturnType<MapView["show"]>> {
  for (const entry of view.entries()) yield view.show(entry);
}

function* linesOf(view: MapView): Generator<string> {
  for (const { key, value } of shownBy(view)) {
    yield printableJson(`${formatMapValue(key)}  ${formatMapValue(value)}\n`);
  }
}

/** A map as the commands print it. */
interface ListedMap extends Omit<MapInfo, "type"> {
  readonly type: string;
  readonly processes: readonly ObjectHolder[];
}

function describe(maps: readonly MapInfo[]): ListedMap[] {
  const holders = new ObjectHolders();
  return maps.map((map) => ({ ...map, type: mapTypeName(map.type), processes: holders.of("map", map.id) }));
}
