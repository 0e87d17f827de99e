// SPDX-License-Identifier: Apache-2.0

import { unlinkSync } from "node:fs";
import { InvalidValueError, type MapSpec, mapTypeName } from "@skep/ebpf";
import { type FileDescriptor, isSystemCallError, pinBpfObject } from "@skep/linux";
import { readMapInfo } from "./map-info.ts";
import { openPin } from "./open-pin.ts";

/** Removes a pin. What it held lives on for as long as something else holds it. False when there was none. */
export function unpin(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A map at its pin; `made` when it was not there before. */
export interface PinnedMap {
  readonly fd: FileDescriptor;
  readonly made: boolean;
}

/**
 * Opens the map that is pinned at the spec's `pinPath`, or makes one and pins it there. When another process pins first,
 * its map is used. Throws InvalidValueError naming every difference when the pinned map is not like the spec.
 */
export function openOrPin(spec: MapSpec, path: string, create: () => FileDescriptor): PinnedMap {
  const object = `map "${spec.name}"`;
  const found = openAlike(spec, path);
  if (found !== undefined) return { fd: found, made: false };
  const fd = create();
  try {
    pinBpfObject(fd, path, `${object}, pin ${path}`);
    return { fd, made: true };
  } catch (error) {
    fd.close();
    if (!isSystemCallError(error, "EEXIST")) throw error;
    const theirs = openAlike(spec, path);
    if (theirs === undefined) throw error;
    return { fd: theirs, made: false };
  }
}

function openAlike(spec: MapSpec, path: string): FileDescriptor | undefined {
  let fd: FileDescriptor;
  try {
    fd = openPin(path, "map");
  } catch (error) {
    if (isSystemCallError(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    requireAlike(spec, fd, path);
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

function requireAlike(spec: MapSpec, fd: FileDescriptor, path: string): void {
  const info = readMapInfo(fd, `pin ${path}`);
  const compared: readonly [what: string, pinned: unknown, wanted: unknown][] = [
    ["type", mapTypeName(info.type), mapTypeName(spec.type)],
    ["key size", info.keySize, spec.keySize],
    ["value size", info.valueSize, spec.valueSize],
    ["max_entries", info.maxEntries, spec.maxEntries],
    ["flags", info.flags, spec.flags],
    ["map_extra", info.extra, spec.extra],
  ];
  const differences = compared.filter(([, pinned, wanted]) => pinned !== wanted);
  if (differences.length === 0) return;
  const list = differences.map(([what, pinned, wanted]) => `${what} is ${pinned}, wanted ${wanted}`);
  throw new InvalidValueError(`map "${spec.name}": the map pinned at ${path} is another: ${list.join("; ")}`);
}
