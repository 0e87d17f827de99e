// SPDX-License-Identifier: Apache-2.0

import { lstatSync, mkdirSync, readlinkSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../errors.ts";

/**
 * Makes a folder and those above it that are missing. One after another: `mkdir` with `recursive` never returns where
 * a folder exists in which none can be made (/proc).
 *
 * @returns whether it was made; false when it was there
 * @throws {@link StoreError} when it cannot be made, or is no folder
 */
export function makeFolder(path: string, mode: number): boolean {
  try {
    makeStep(path, mode);
    return true;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EEXIST" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    const found = code === "EEXIST" ? whatIsThere(cause, path) : cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`data folder ${path} cannot be made: ${found}; choose another with --data`, { cause });
  }
}

/** What has the name that a folder could not be given, this one or one above it. */
function whatIsThere(cause: unknown, folder: string): string {
  const path = cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : folder;
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    return `${path} is a symbolic link to ${readlinkSync(path)}, where nothing is`;
  }
  return path === folder ? "something else has that name" : `${path} is no folder`;
}

function makeStep(path: string, mode: number): void {
  const parent = dirname(path);
  if (parent !== path && statSync(parent, { throwIfNoEntry: false }) === undefined) makeStep(parent, mode);
  mkdirSync(path, { mode });
}
