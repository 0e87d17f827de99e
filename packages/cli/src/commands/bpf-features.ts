// SPDX-License-Identifier: Apache-2.0

import { ProgramType, programTypeName, SkepError } from "@skep/ebpf";
import { type FeatureFinding, type FeatureKind, probeFeatures } from "@skep/kernel";
import { kernelRelease } from "@skep/linux";
import { nearest } from "@skep/workload";
import { type OutputFormat, printData } from "../output/format.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { terminalWidth } from "../output/terminal.ts";
import { wrapWords } from "../output/wrap-words.ts";

/** What `--kind` takes, and what each stands for. */
export const featureKinds = {
  features: "feature",
  maps: "map type",
  flags: "map flag",
  programs: "program type",
  helpers: "helper",
} as const satisfies Readonly<Record<string, FeatureKind>>;

/** Terminals of nobody knows which width, such as files. */
const WIDTH = 80;

/** What `skep bpf features` takes. */
export interface FeaturesOptions {
  readonly output: OutputFormat;
  /** All but the helpers unless given. */
  readonly kind?: readonly (keyof typeof featureKinds)[];
  /** The program type whose helpers are looked for; all types unless given. */
  readonly type?: string;
}

/** `skep bpf features`: what this kernel has of eBPF, tried out. */
export async function bpfFeatures({ output, kind, type }: FeaturesOptions): Promise<void> {
  const programType = type === undefined ? undefined : programTypeOf(type);
  const kinds =
    kind ?? (type === undefined ? (["features", "maps", "flags", "programs"] as const) : (["helpers"] as const));
  const findings = kinds.flatMap((each) => probeFeatures(featureKinds[each], programType));
  if (output !== "table") {
    await printData(findings, output);
    return;
  }
  const sections = Object.values(featureKinds).map((each) => findings.filter((finding) => finding.kind === each));
  const texts = sections.flatMap((section) => (section.length === 0 ? [] : [format(section)]));
  await print([`Linux ${kernelRelease()}\n`, ...texts].join("\n"));
}

function programTypeOf(text: string): ProgramType {
  const names = Object.values(ProgramType).map(programTypeName);
  const found = Object.values(ProgramType).find((type) => programTypeName(type) === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(text, names);
  const hint = near === undefined ? `; there are ${names.join(", ")}` : `; did you mean "${near}"?`;
  throw new SkepError("ERR_NOT_FOUND", `no program type is called "${text}"${hint}`);
}

function format(findings: readonly FeatureFinding[]): string {
  const [first] = findings;
  if (first?.kind === "helper") return formatHelpers(findings);
  return formatTable(
    ["", (first?.kind ?? "").toUpperCase(), "SINCE", ""],
    findings.map(({ name, since, inVersion, support }) => [
      support.state === "unknown" ? "?" : support.state,
      name,
      since ?? "",
      support.state === "unknown" ? support.reason : inVersion && support.state === "no" ? "not in this build" : "",
    ]),
  );
}

/** A paragraph for each program type: too many to have a line each. */
function formatHelpers(findings: readonly FeatureFinding[]): string {
  const byType = Map.groupBy(findings, ({ name }) => name.slice(0, name.indexOf(":")));
  const width = terminalWidth() ?? WIDTH;
  return [...byType]
    .map(([type, ofType]) => {
      const yes = ofType.filter(({ support }) => support.state === "yes");
      const unknown = ofType.filter(({ support }) => support.state === "unknown");
      const [first] = unknown;
      if (first?.support.state === "unknown" && unknown.length === ofType.length) {
        return `${type}: not known\n${wrapWords(first.support.reason, width, "  ")}`;
      }
      const bare = ({ name }: FeatureFinding): string => name.slice(type.length + 2);
      const text = yes.length === 0 ? "none" : yes.map(bare).join(" ");
      const count = `${yes.length} of ${ofType.length} helpers`;
      const doubt = unknown.length === 0 ? "" : `, not known: ${unknown.map(bare).join(" ")}`;
      return `${type}: ${count}\n${wrapWords(text + doubt, width, "  ")}`;
    })
    .join("\n");
}
