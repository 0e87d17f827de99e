// SPDX-License-Identifier: Apache-2.0

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty folder that every user may enter, removed with all that is in it when disposed. */
export class TempFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "skep-test-"));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** A path inside. */
  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    // The PostgreSQL of a killed process writes for a moment longer.
    rmSync(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
