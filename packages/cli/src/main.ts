// SPDX-License-Identifier: Apache-2.0

import { outliveReaders } from "./output/print.ts";
import { program } from "./program.ts";
import { reportError } from "./report-error.ts";

outliveReaders();
await program()
  .parseAsync()
  .catch((error: unknown) => reportError(error));
