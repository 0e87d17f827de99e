// SPDX-License-Identifier: Apache-2.0

import { WhereError } from "./where-error.ts";

/** A piece of a filter. */
export interface Token {
  /** `word` is everything unquoted: names, numbers, times, addresses, keywords. */
  readonly kind: "word" | "string" | "symbol" | "end";
  /** The word, the string without its quotes, or the symbol. */
  readonly text: string;
  /** Index in the filter, in UTF-16 code units. */
  readonly position: number;
}

/** Characters of a filter. */
const MAX_LENGTH = 8192;

const PIECE =
  /\s+|(?<symbol>!=|<=|>=|!~|[=<>~(),])|(?<word>[^\s"'=<>!~(),]+)|(?<string>"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')/y;

/**
 * Cuts a filter into tokens; the last one is of kind `end`. In a quoted string a backslash before a backslash or a
 * quote stands for that character, any other stays, so that regular expressions read naturally.
 *
 * @throws {@link WhereError}
 */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw new WhereError(MAX_LENGTH, `${text.length} characters`, `at most ${MAX_LENGTH}`);
  const broken = text.isWellFormed() ? text.indexOf("\0") : text.search(/\p{Surrogate}/u);
  if (broken !== -1) throw new WhereError(broken, "a character that no text holds", "a filter without it");
  const tokens: Token[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < text.length) {
    const position = PIECE.lastIndex;
    const groups = PIECE.exec(text)?.groups;
    if (groups === undefined) {
      const isQuote = text[position] === '"' || text[position] === "'";
      throw new WhereError(position, `"${text[position]}"`, isQuote ? "a closing quote" : "!= or !~");
    }
    const { symbol, word, string } = groups;
    if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, position });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, position });
    else if (string !== undefined) {
      tokens.push({ kind: "string", text: string.slice(1, -1).replaceAll(/\\(["'\\])/g, "$1"), position });
    }
  }
  tokens.push({ kind: "end", text: "", position: text.length });
  return tokens;
}
