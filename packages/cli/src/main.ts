// SPDX-License-Identifier: Apache-2.0

import { program } from "./program.ts";
import { reportError } from "./report-error.ts";

await program()
  .parseAsync()
  .catch((error: unknown) => reportError(error));
