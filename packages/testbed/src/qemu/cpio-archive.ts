// SPDX-License-Identifier: Apache-2.0

/** A file of an initramfs. */
export interface CpioFile {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 110;
const FOLDER = 0o40755;
const EXECUTABLE = 0o100755;

/**
 * An initramfs of these files and the folders that they are in, everything of root and executable: a cpio archive of the
 * "newc" kind, a header of thirteen eight-digit hexadecimal numbers before each name (Documentation/driver-api/early-userspace/
 * buffer-format.rst).
 */
export function cpioArchive(files: readonly CpioFile[]): Buffer {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) folders.add(path.slice(0, end));
  }
  const none = new Uint8Array(0);
  const entries = [
    ...[...folders].map((path) => entry(path, FOLDER, none)),
    ...files.map(({ path, bytes }) => entry(path, EXECUTABLE, bytes)),
    entry("TRAILER!!!", 0, none),
  ];
  return Buffer.concat(entries.flat());
}

function entry(path: string, mode: number, bytes: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), device named (2), length of the name, checksum
  const fields = [0, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(HEADER_BYTES + name.length), bytes, padding(bytes.length)];
}

/** Names and contents end at a multiple of four. */
function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
