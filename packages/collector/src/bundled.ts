// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";

/** A collector that ships with Skep. */
export interface BundledCollector {
  readonly name: string;
  /** Path of its manifest. */
  readonly manifest: string;
  /** Path of a recording of it, for machines where eBPF is not allowed. */
  readonly recording: string;
}

/** The collectors that `skep up` runs. */
export const bundledCollectors: readonly BundledCollector[] = ["exec"].map((name) => ({
  name,
  manifest: fileURLToPath(new URL(`../collectors/${name}/${name}.yaml`, import.meta.url)),
  recording: fileURLToPath(new URL(`../collectors/${name}/${name}.skeprec`, import.meta.url)),
}));
