// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from "preact/hooks";

/** What the address says after its `#`: which stream, through which filter. */
export interface Place {
  readonly stream: string | undefined;
  readonly where: string;
}

/** Reads a place from the part of an address after `#`. */
export function parsePlace(hash: string): Place {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  return { stream: fields.get("stream") ?? undefined, where: fields.get("where") ?? "" };
}

/** The place as the part of an address after `#`. */
export function placeHash({ stream, where }: Place): string {
  const fields = new URLSearchParams();
  if (stream !== undefined) fields.set("stream", stream);
  if (where !== "") fields.set("where", where);
  return `#${fields}`;
}

/** The place in the address, kept up to date both ways. */
export function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const read = (): void => setPlace(parsePlace(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  const go = (next: Place): void => {
    history.replaceState(null, "", placeHash(next));
    setPlace(next);
  };
  return [place, go];
}
