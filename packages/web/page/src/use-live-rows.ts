// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from "preact/hooks";
import { LiveRows, type LiveView } from "./live-rows.ts";

/** The live rows of a stream, for as long as the component is on the page. */
export function useLiveRows(stream: string, where: string): { view: LiveView; live: LiveRows } {
  const [, redraw] = useState(0);
  const ref = useRef<LiveRows>(undefined);
  ref.current ??= new LiveRows(() => redraw((drawn) => drawn + 1));
  const live = ref.current;
  useEffect(() => () => live.close(), [live]);
  useEffect(() => live.select(stream, where), [live, stream, where]);
  return { view: live.view, live };
}
