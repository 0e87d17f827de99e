// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { SECURITY_HEADERS } from "./security-headers.ts";

const STYLE = `:root{color-scheme:light dark;font:15px/1.55 system-ui,sans-serif}
body{max-width:34rem;margin:18vh auto;padding:0 1.5rem}
h1{font-size:1.25rem;margin:0 0 .5rem}code{font-family:ui-monospace,monospace;font-size:.92em}p{margin:.5rem 0;opacity:.85}`;

/** A document that needs no file, for when none may be or can be sent. */
export interface PlainPage {
  readonly html: string;
  /** The policy for it: {@link SECURITY_HEADERS}' with this one style allowed by its hash. */
  readonly contentSecurityPolicy: string;
}

/** Makes a small document of a heading and paragraphs, both HTML. */
export function plainPage(heading: string, paragraphs: readonly string[]): PlainPage {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  return {
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${heading} – Skep</title><style>${STYLE}</style></head>
<body><h1>${heading}</h1>
${paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join("\n")}
</body></html>
`,
    contentSecurityPolicy: `${SECURITY_HEADERS["content-security-policy"]}; style-src 'sha256-${hash}'`,
  };
}
