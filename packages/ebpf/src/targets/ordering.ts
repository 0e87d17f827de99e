// SPDX-License-Identifier: Apache-2.0

import type { Link } from "../engine.ts";

/** Another program at the same place: by its link, or by an id as bpftool shows it. */
export type AnchorReference = Link | { readonly linkId: number } | { readonly programId: number };

/** Where a program goes among those that are attached at the same place already. */
export type Anchor = "first" | "last" | { readonly before: AnchorReference } | { readonly after: AnchorReference };

/** Order among several programs at one place: tcx (6.6), netkit (6.7), cgroups (6.17). */
export interface Ordering {
  /** `last` when absent. */
  readonly anchor?: Anchor;
  /**
   * What the place's revision must be, as a query tells it; each attach and detach there changes it. With another
   * one the attach fails with ESTALE. 0 and absent accept any.
   */
  readonly revision?: bigint;
}
