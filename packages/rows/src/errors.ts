// SPDX-License-Identifier: Apache-2.0

/**
 * Base of the errors that this package throws on purpose. `code` is stable and made for programs, `message` is
 * made for people.
 */
export class RowsError extends Error {
  /** Stable identifier, such as `ERR_STORE_IN_USE`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A row schema that cannot be stored, or that does not fit the table that is already there. */
export class RowSchemaError extends RowsError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_ROW_SCHEMA", message, options);
  }
}

/** A value or a batch that does not fit its schema; the message names stream, column and row. */
export class RowValueError extends RowsError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_ROW_VALUE", message, options);
  }
}

/** Something closed was used. */
export class RowsClosedError extends RowsError {
  constructor(object: string) {
    super("ERR_CLOSED", `${object} is closed`);
  }
}

/** The data folder or its PostgreSQL cannot be used; the message says what was found and what to do. */
export class StoreError extends RowsError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_STORE", message, options);
  }
}

/** Another process owns the data folder. */
export class StoreInUseError extends RowsError {
  /** The owner's process id; undefined when it has not written it down yet. */
  readonly processId: number | undefined;

  constructor(folder: string, processId: number | undefined, command: string | undefined) {
    const who = processId === undefined ? "another process" : `process ${processId}`;
    super("ERR_STORE_IN_USE", `data folder ${folder} is in use by ${who}${command ? ` (${command})` : ""}`);
    this.processId = processId;
  }
}

/** All of a store's connections are in use, and none came free in time. Trying again later may do. */
export class StoreBusyError extends RowsError {
  /**
   * @param connections - how many there are
   * @param seconds - how long one was waited for
   */
  constructor(connections: number, seconds: number, options?: ErrorOptions) {
    super(
      "ERR_BUSY",
      `all ${connections} connections for queries of the store are in use, and none came free in ${seconds} s; ` +
        "try again, or end another query",
      options,
    );
  }
}

/** Nobody asked a query for its next rows for too long, so it was ended and its connection given to others. */
export class QueryExpiredError extends RowsError {
  constructor(stream: string, milliseconds: number) {
    super(
      "ERR_QUERY_EXPIRED",
      `the query of stream "${stream}" was ended: nobody read its rows for ${milliseconds / 1000} s; ask again`,
    );
  }
}
