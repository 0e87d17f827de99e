// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { InvalidValueError } from "@skep/ebpf";
import { quote } from "./value-text.ts";

/** Longest DNS name, and so the longest node name of Kubernetes. */
const LONGEST = 253;

/**
 * Name of this machine as rows carry it: `SKEP_NODE` when it is set (in Kubernetes, from `spec.nodeName`), the
 * host name otherwise. Throws InvalidValueError when `SKEP_NODE` cannot be a name.
 */
export function nodeName(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const name = env.SKEP_NODE;
  if (name === undefined || name === "") return hostname();
  if (name.length > LONGEST || /[\s\p{Cc}]/u.test(name)) {
    throw new InvalidValueError(
      `SKEP_NODE is ${quote(name)}, wanted a name of at most ${LONGEST} characters without spaces`,
    );
  }
  return name;
}
