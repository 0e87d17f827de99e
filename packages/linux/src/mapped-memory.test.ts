// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MappedMemory } from "./mapped-memory.ts";
import { SystemCallError } from "./system-call-error.ts";

let directory: string;
let path: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "skep-map-"));
  path = join(directory, "file");
  writeFileSync(path, new Uint8Array(8192));
  fd = openSync(path, "r+");
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

describe("mapped memory", () => {
  it("shows the file's pages and writes through to them", () => {
    using memory = new MappedMemory({ fd, length: 8192, writable: true });
    new Uint8Array(memory.buffer).set([1, 2, 3], 4096);
    expect([...readFileSync(path).subarray(4096, 4100)]).toEqual([1, 2, 3, 0]);
  });

  it("maps from an offset", () => {
    using whole = new MappedMemory({ fd, length: 8192, writable: true });
    using second = new MappedMemory({ fd, offset: 4096, length: 4096 });
    new Uint8Array(whole.buffer)[4096] = 7;
    expect(new Uint8Array(second.buffer)[0]).toBe(7);
  });

  it("empties every view when it is closed", () => {
    const memory = new MappedMemory({ fd, length: 8192, writable: true });
    const bytes = new Uint8Array(memory.buffer);
    const words = new Uint32Array(memory.buffer, 4096, 4);
    const view = new DataView(memory.buffer);
    memory.close();
    expect(bytes).toHaveLength(0);
    expect(bytes[0]).toBeUndefined();
    expect(words).toHaveLength(0);
    expect(() => view.getUint8(0)).toThrow(TypeError);
    expect(() => memory.close()).not.toThrow();
  });

  it("lets a process touch kept views after the unmap without a fault", () => {
    // In a child: the fault that this rules out ends a process.
    const script = `
      import { closeSync, openSync } from "node:fs";
      import { MappedMemory } from ${JSON.stringify(new URL("./mapped-memory.ts", import.meta.url).href)};
      const fd = openSync(${JSON.stringify(path)}, "r+");
      let sum = 0;
      for (let round = 0; round < 200; round++) {
        const memory = new MappedMemory({ fd, length: 8192, writable: true });
        const bytes = new Uint8Array(memory.buffer);
        const words = new Int32Array(memory.buffer);
        const sweep = () => { for (let i = 0; i < 8192; i++) sum += bytes[i] ?? 1; };
        sweep();
        memory.close();
        sweep();
        bytes[0] = 1;
        for (const refused of [() => bytes.fill(1), () => Atomics.load(words, 0)]) {
          try { refused(); console.log("accepted"); } catch (error) { if (!(error instanceof TypeError)) throw error; }
        }
        if (round % 50 === 0) globalThis.gc();
      }
      console.log(sum);
    `;
    const child = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    expect(child.signal).toBeNull();
    // The file is all zeroes, and stays so: only the sweeps after a close add anything.
    expect(child.stdout.trim()).toBe(String(200 * 8192));
  });

  it("says what could not be mapped and why", () => {
    expect(() => new MappedMemory({ fd: -1, length: 4096, object: 'map "events"' })).toThrow(
      'map "events": mmap failed: EBADF (bad file descriptor)',
    );
    expect(() => new MappedMemory({ fd, length: 0 })).toThrow(SystemCallError);
  });
});
