// SPDX-License-Identifier: Apache-2.0

import { collectionKinds } from "./collection-kinds.ts";
import { linkKinds } from "./link-kinds.ts";
import { linuxKinds } from "./linux-kinds.ts";
import { mapKinds } from "./map-kinds.ts";
import { readerKinds } from "./reader-kinds.ts";
import { recordingKinds } from "./recording-kinds.ts";
import type { MakeSpecimens } from "./specimen.ts";

/** Every kind of object that can be closed. */
export const kinds: Readonly<Record<string, MakeSpecimens>> = {
  ...collectionKinds,
  ...mapKinds,
  ...readerKinds,
  ...linkKinds,
  ...recordingKinds,
  ...linuxKinds,
};
