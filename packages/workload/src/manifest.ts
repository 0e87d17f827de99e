// SPDX-License-Identifier: Apache-2.0

import * as z from "zod";

/** The only `apiVersion` that this version reads. */
export const API_VERSION = "skep/v1alpha1";

/** What `metadata.name` must be. Without `_`, so that `tableName` maps different names to different tables. */
export const NAME_PATTERN: RegExp = /^[a-z][a-z0-9-]{0,62}$/;

/** Where a manifest was read. */
export interface ManifestSource {
  /** The file as it was named by whoever asked, or `-` for standard input. */
  readonly file: string;
  /** Folder that relative paths of the spec start from: the file's, not resolved through symbolic links. */
  readonly base: string;
  /** Index of the document in the file, from 0. */
  readonly document: number;
  /** Line of the document's first key, from 1. */
  readonly line: number;
}

/** Which nodes of a fleet run a workload. Means nothing outside a fleet. */
export interface Placement {
  /** Labels that a node must carry, all of them. */
  readonly nodes: Readonly<Record<string, string>>;
}

/** A checked document: what shall run, under which name. */
export interface Manifest<Spec = unknown> {
  readonly apiVersion: typeof API_VERSION;
  /** One of the kinds that the reader was given. */
  readonly kind: string;
  readonly metadata: {
    /** Matches `NAME_PATTERN`; unique among the manifests of its kind. */
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly placement?: Placement;
  /** As the kind's schema returned it, defaults filled in. Whole numbers beyond 2^53 arrive there as bigint. */
  readonly spec: Spec;
  readonly source: ManifestSource;
}

/** Fields that all kinds share; a kind's schema for `spec` joins them. */
export const manifestHeader = {
  apiVersion: z.literal(API_VERSION),
  kind: z.string(),
  metadata: z.strictObject({
    name: z
      .string()
      .regex(NAME_PATTERN, 'a name is 1 to 63 lower-case letters, digits and "-", and begins with a letter'),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  placement: z.strictObject({ nodes: z.record(z.string(), z.string()) }).optional(),
};

/** The SQL table that a workload's name gives: `edge-proxy` becomes `edge_proxy`. */
export function tableName(name: string): string {
  return name.replaceAll("-", "_");
}
