// SPDX-License-Identifier: Apache-2.0

import { collector } from "@skep/collector";
import type { Workload } from "@skep/workload";

/** Every kind of workload that this command knows. */
export const kinds: readonly Workload<unknown>[] = [collector as Workload<unknown>];
