// SPDX-License-Identifier: Apache-2.0

/**
 * The floors of the house, lowest first. A package imports only from floors below its own, so never sideways:
 * two packages on one floor do not know each other. ARCHITECTURE.md says what each holds.
 */
export const floors: readonly (readonly string[])[] = [
  ["ebpf", "linux", "packet"], // 1
  ["kernel", "vm"], // 2
  ["rows", "structures", "plugins"], // 3a
  ["workload"], // 3b: what every service is made of; it hands rows to services, so rows is below
  ["collector", "proxy", "balancer", "flow-marker", "router"], // 4
  ["runtime"], // 5
  ["fleet", "web"], // 6
  ["cli"], // 7
];

/** Packages that are never shipped. They may use every floor; only tests and each other may use them. */
export const unshippedPackages: readonly string[] = ["testbed", "bench"];

/** npm packages that one package alone may import. */
export const reserved: Readonly<Record<string, string>> = { koffi: "linux" };

/** Where Node built-ins are refused, because the code also runs in a browser, and the folders that may have them. */
export const pure: Readonly<Record<string, { readonly except: readonly string[] }>> = {
  ebpf: { except: [] },
  vm: { except: ["packages/vm/src/node/"] },
};

/**
 * Browser code inside a package. It is built apart from the package, so it may import what is listed, files of its
 * own folder, and types of the listed packages and files (what the server sends).
 */
export const pages: readonly {
  readonly directory: string;
  readonly imports: readonly string[];
  readonly types: readonly string[];
}[] = [
  { directory: "packages/web/page/", imports: ["preact", "uplot"], types: ["@skep/rows", "packages/web/src/wire.ts"] },
];

/** Index of a package's floor; undefined when the table does not have it. */
export function floorOf(shortName: string): number | undefined {
  const index = floors.findIndex((floor) => floor.includes(shortName));
  return index === -1 ? undefined : index;
}
