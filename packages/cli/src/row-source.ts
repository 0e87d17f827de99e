// SPDX-License-Identifier: Apache-2.0

/** Which rows a command asks for. */
export interface RowQuery {
  readonly where?: string;
  /** All of them when absent. */
  readonly limit?: number;
  /** The newest ones first, or the oldest. */
  readonly order: "newest" | "oldest";
  /** Only rows that happened before: microseconds since 1970. */
  readonly before?: number;
  /** Ends the query with the signal's reason: nobody waits for its rows any more. */
  readonly signal: AbortSignal;
}

/** Where `skep rows` gets its rows: a running `skep up`, or the store itself. Rows are JSON objects, one a string. */
export interface RowSource extends AsyncDisposable {
  query(stream: string, query: RowQuery): AsyncIterable<readonly string[]>;
  /** The newest `backlog` rows, then rows as they come, until `signal`. */
  follow(
    stream: string,
    where: string | undefined,
    backlog: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>;
}
