// SPDX-License-Identifier: Apache-2.0

/** Whether a file in a folder counts as a manifest: `.yaml`, `.yml` or `.json`, and not hidden. */
export function isManifestFile(name: string): boolean {
  return /^[^.].*\.(ya?ml|json)$/.test(name);
}
