// SPDX-License-Identifier: Apache-2.0

import type { WireError } from "./wire.ts";

/** The answer to a request that failed. */
export interface AnswerError {
  readonly status: number;
  readonly body: WireError;
}

const STATUS: Readonly<Record<string, number>> = {
  ERR_NOT_FOUND: 404,
  ERR_INVALID_VALUE: 400,
  ERR_BUSY: 503,
};

/**
 * Turns what a route threw into its answer: 400 with `position` for a filter that cannot be understood, what
 * Fastify says for what it refused itself, 404 for what is not there, 503 when the store is busy, 500 for the rest.
 */
export function answerFor(error: unknown): AnswerError {
  const { code, message, position, statusCode } = fields(error);
  if (position !== undefined) return { status: 400, body: { error: { code, message, position } } };
  return { status: statusCode ?? STATUS[code] ?? 500, body: { error: { code, message } } };
}

function fields(error: unknown): { code: string; message: string; position?: number; statusCode?: number } {
  const { code, position, statusCode } = (typeof error === "object" && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  return {
    code: typeof code === "string" ? code : "ERR_INTERNAL",
    message: error instanceof Error ? error.message : String(error),
    ...(typeof position === "number" ? { position } : {}),
    ...(typeof statusCode === "number" ? { statusCode } : {}),
  };
}
