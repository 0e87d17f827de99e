// SPDX-License-Identifier: Apache-2.0
import type { Finding } from "./finding.ts";
import { floorOf, unshippedPackages } from "./floors.ts";
import type { SourceTree } from "./source-tree.ts";
import { type PackageJson, packagesOf, referencesOf, type WorkspacePackage } from "./workspace.ts";

const exactVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const sourceCondition = "skep-source";

/** Checks package.json and tsconfig.json of every package against each other and the rules of the house. */
export function checkManifests(tree: SourceTree): Finding[] {
  const packages = packagesOf(tree);
  const versions = new Map([...packages.values()].map(({ name, manifest }) => [name, manifest.version]));
  const findings: Finding[] = [];
  const judge = (path: string, messages: readonly string[]) => {
    for (const message of messages) findings.push({ path, message });
  };

  const root = JSON.parse(tree.get("package.json") ?? "{}") as PackageJson;
  judge("package.json", judgeVersions(root, versions));
  const built = referencesOf(tree, "");
  for (const entry of packages.values()) {
    const path = `${entry.directory}/package.json`;
    judge(path, judgeVersions(entry.manifest, versions));
    judge(path, unshippedPackages.includes(entry.shortName) ? judgeUnshipped(entry) : judgeShipped(entry));
    // Without a tsconfig of its own a package is checked with the tests, from source.
    const config = `${entry.directory}/tsconfig.json`;
    if (tree.has(config)) judge(config, judgeReferences(entry, packages));
    if (entry.directory.startsWith("packages/") && !built.includes(entry.directory)) {
      judge("tsconfig.json", [`${entry.directory} is not among the references: "npm run build" leaves it out`]);
    }
  }
  return findings;
}

/** A range would let two installs of one commit differ; a sibling's version is the one in this tree. */
function judgeVersions(manifest: PackageJson, siblings: ReadonlyMap<string, string | undefined>): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  return [dependencies, devDependencies, optionalDependencies].flatMap((list = {}) =>
    Object.entries(list).flatMap(([name, version]) => {
      if (!exactVersion.test(version)) return [`${name}: "${version}" is not an exact version`];
      const sibling = siblings.get(name);
      return sibling !== undefined && sibling !== version
        ? [`${name}: ${version}, but this tree holds ${sibling}`]
        : [];
    }),
  );
}

function judgeUnshipped({ manifest }: WorkspacePackage): string[] {
  return manifest.private === true ? [] : [`must be "private": it is never shipped`];
}

function judgeShipped({ name, shortName, manifest }: WorkspacePackage): string[] {
  const messages: string[] = [];
  if (floorOf(shortName) === undefined) messages.push(`"${shortName}" has no floor in scripts/check/floors.ts`);
  if (name !== `@skep/${shortName}` && name !== "skep")
    messages.push(`the name is "${name}", wanted "@skep/${shortName}"`);
  if (manifest.license !== "Apache-2.0") messages.push(`license is "${manifest.license}", wanted "Apache-2.0"`);
  if (manifest.type !== "module") messages.push(`type is "${manifest.type}", wanted "module"`);
  const { files = [], exports = {} } = manifest;
  if (files.length === 0) messages.push("files is missing: npm would pack everything");
  for (const path of files) {
    // With src in the package, bin/skep.js takes it for a checkout; Node strips no types in node_modules.
    if (/^(\.\/)?src\b/.test(path)) messages.push(`files has "${path}": sources are not shipped`);
  }
  for (const [subpath, target] of Object.entries(exports)) {
    if (typeof target !== "object" || target === null || subpath.endsWith(".json")) continue;
    const first = Object.keys(target)[0];
    if (first !== sourceCondition) {
      messages.push(`exports "${subpath}": the first condition is "${first}", wanted "${sourceCondition}"`);
    }
  }
  return messages;
}

/** References and dependencies must name the same siblings, or `tsc -b` builds in the wrong order. */
function judgeReferences(
  { directory, manifest, references }: WorkspacePackage,
  packages: ReadonlyMap<string, WorkspacePackage>,
): string[] {
  const siblings = [...packages.values()].filter((sibling) => sibling.directory !== directory);
  return siblings.flatMap((sibling) => {
    const needed = manifest.dependencies?.[sibling.name] !== undefined;
    const referenced = references.includes(sibling.directory);
    if (needed && !referenced) return [`no reference to ${sibling.directory}, which package.json depends on`];
    if (referenced && !needed) return [`references ${sibling.directory}, which package.json does not depend on`];
    return [];
  });
}
