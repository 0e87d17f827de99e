// SPDX-License-Identifier: Apache-2.0

import type { WireInfo } from "../../src/wire.ts";

/** Says that events are replayed, or what else the host cannot do, why, and what would change it. */
export function NoticeBanner({ info }: { info: WireInfo }) {
  const { recording, notice } = info;
  if (!recording && notice === undefined) return null;
  return (
    <section class={`notice ${recording ? "recording" : ""}`} aria-label="Notice">
      <p>
        {recording && (
          <>
            <span class="badge recording solid">Recording</span>{" "}
            <strong>These events were recorded earlier on another machine.</strong>{" "}
          </>
        )}
        {notice !== undefined && (
          <>
            <strong class={recording ? "quiet" : ""}>{notice.title}</strong> {notice.why}
          </>
        )}
      </p>
      {notice !== undefined && notice.remedy.length > 0 && (
        <details>
          <summary>What would change it</summary>
          <ul>
            {notice.remedy.map((step) => (
              <li key={step}>{withCode(step)}</li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

/** Text with what stands between backquotes as code. */
function withCode(text: string) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={part}>{part}</code> : part));
}
