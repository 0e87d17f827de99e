// SPDX-License-Identifier: Apache-2.0

/** One server-sent event (HTML standard, 9.2). */
export interface ServerEvent {
  readonly type: string;
  /** Its data lines, one an element. */
  readonly data: readonly string[];
}

/**
 * Reads server-sent events from the body of a `fetch`, which, unlike `EventSource`, shows the answer's status and
 * the message that comes with a refusal.
 */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => {
      // The connection is gone already: there is nothing left to cancel.
    });
  }
}

function parseEvent(block: string): ServerEvent | undefined {
  let type: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) type = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return type === undefined ? undefined : { type, data };
}
