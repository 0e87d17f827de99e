// SPDX-License-Identifier: Apache-2.0

import type { RowSchema } from "../row-schema.ts";
import { LITERAL_FORMS, parseLiteral } from "./literal.ts";
import { parsePattern } from "./pattern.ts";
import { type Token, tokenize } from "./tokens.ts";
import { type Comparison, isListType, type Where, type WhereColumn, type WhereValue } from "./where-ast.ts";
import { WhereError } from "./where-error.ts";

/** Options of {@link parseWhere}. */
export interface WhereOptions {
  /** What `now` and durations are relative to, microseconds since 1970; the present when not given. */
  readonly now?: number;
}

/** Parentheses and `not` inside each other. */
const MAX_DEPTH = 64;

/** Terms of a filter, which all become parameters of one statement. */
const MAX_TERMS = 1000;

/**
 * Reads a filter such as `comm = bash and (pid > 100 or args contains "x")` and checks it against a schema.
 *
 * - `= != < <= > >=`, `in (a, b)`, `not in (a, b)`, `is null`, `is not null` on every column that they mean
 *   something for; `contains` and `~ !~` (regular expression, see {@link Pattern}) on text.
 * - On a list of texts or addresses a term holds when it does for any element; `!=` and `!~` when `=` and `~` do not.
 * - `and`, `or`, `not`, parentheses; keywords in any case.
 * - Texts in single or double quotes, or bare when they hold no space, quote, parenthesis, comma or operator. Times:
 *   RFC 3339, `now`, durations from now (`time > -5m`).
 * - A bool column alone means that it is true. Any other word or quoted text alone is looked for in every text
 *   column. The empty filter takes every row.
 *
 * @throws {@link WhereError}
 */
export function parseWhere(text: string, schema: RowSchema, options: WhereOptions = {}): Where {
  return new WhereParser(text, schema, options.now ?? Date.now() * 1000).parse();
}

/** Columns that a filter on a stream may name, the built-in ones first. */
export function whereColumns(schema: RowSchema): WhereColumn[] {
  return [
    { name: "time", type: "time" },
    { name: "node", type: "text" },
    { name: "workload", type: "text" },
    ...schema.columns.map(({ name, type }) => ({ name, type })),
  ];
}

class WhereParser {
  readonly #tokens: readonly Token[];
  readonly #columns: ReadonlyMap<string, WhereColumn>;
  readonly #searched: readonly WhereColumn[];
  readonly #now: number;
  #at = 0;
  #terms = 0;

  constructor(text: string, schema: RowSchema, now: number) {
    this.#tokens = tokenize(text);
    this.#columns = new Map(whereColumns(schema).map((column) => [column.name, column]));
    this.#searched = schema.columns.filter(({ type }) => type === "text" || type === "texts");
    this.#now = now;
  }

  parse(): Where {
    if (this.#atEnd()) return { kind: "all" };
    const where = this.#or(0);
    if (!this.#atEnd()) throw this.#error("and, or, or the end");
    return where;
  }

  /** The next token; the last one, of kind `end`, is never consumed. */
  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #atEnd(): boolean {
    return this.#token.kind === "end";
  }

  #or(depth: number): Where {
    const terms = [this.#and(depth)];
    while (this.#takeWord("or")) terms.push(this.#and(depth));
    return join("or", terms);
  }

  #and(depth: number): Where {
    const terms = [this.#unary(depth)];
    while (this.#takeWord("and")) terms.push(this.#unary(depth));
    return join("and", terms);
  }

  #unary(depth: number): Where {
    if (depth > MAX_DEPTH) throw this.#error(`at most ${MAX_DEPTH} levels of "not" and parentheses`);
    if (this.#takeWord("not")) return { kind: "not", term: this.#unary(depth + 1) };
    if (this.#takeSymbol("(")) {
      const where = this.#or(depth + 1);
      if (!this.#takeSymbol(")")) throw this.#error('")", and, or or');
      return where;
    }
    if (++this.#terms > MAX_TERMS) throw this.#error(`at most ${MAX_TERMS} terms`);
    return this.#term();
  }

  #term(): Where {
    const first = this.#token;
    if ((first.kind !== "word" && first.kind !== "string") || (first.kind === "word" && isKeyword(first.text))) {
      throw this.#error("a column or a text to look for");
    }
    this.#at++;
    const column = first.kind === "word" ? this.#columns.get(first.text) : undefined;
    if (!this.#beginsOperator()) {
      if (column === undefined) return this.#search(first.text);
      if (column.type === "bool") return { kind: "compare", column, operator: "=", value: true };
      throw this.#error(`an operator after column "${column.name}" (quote it to look for the word)`);
    }
    if (column === undefined) {
      const found = first.kind === "string" ? `the text "${first.text}"` : `"${first.text}"`;
      throw new WhereError(first.position, found, `a column: ${[...this.#columns.keys()].join(", ")}`);
    }
    return this.#operation(column);
  }

  #beginsOperator(): boolean {
    const { kind, text } = this.#token;
    if (kind === "symbol") return text !== "(" && text !== ")" && text !== ",";
    return kind === "word" && /^(contains|in|is|not)$/i.test(text);
  }

  #operation(column: WhereColumn): Where {
    const operator = this.#token;
    this.#at++;
    switch (operator.text.toLowerCase()) {
      case "is":
        return this.#isNull(column);
      case "not":
        return this.#notIn(column);
      case "in":
        return this.#in(column);
      case "contains":
        this.#wantText(column, operator);
        return { kind: "contains", column, text: this.#text() };
      case "~":
      case "!~": {
        this.#wantText(column, operator);
        const { position, kind } = this.#token;
        const pattern = parsePattern(this.#text(), position + (kind === "string" ? 1 : 0));
        return { kind: "match", column, pattern, negated: operator.text === "!~" };
      }
      default:
        return this.#compare(column, operator);
    }
  }

  #compare(column: WhereColumn, operator: Token): Where {
    const isOrdered = !isListType(column.type) && !["bytes", "ip", "bool"].includes(column.type);
    if (!isOrdered && operator.text !== "=" && operator.text !== "!=") {
      throw new WhereError(
        operator.position,
        `"${operator.text}"`,
        `=, != or in: column "${column.name}" (${column.type}) has no order`,
      );
    }
    return { kind: "compare", column, operator: operator.text as Comparison, value: this.#value(column) };
  }

  #isNull(column: WhereColumn): Where {
    const negated = this.#takeWord("not");
    if (!this.#takeWord("null")) throw this.#error(negated ? "null" : "null or not null");
    const where: Where = { kind: "null", column };
    return negated ? { kind: "not", term: where } : where;
  }

  /** Like `!=`, `not in` is false on a cell without a value. */
  #notIn(column: WhereColumn): Where {
    if (!this.#takeWord("in")) throw this.#error("in");
    const isNull: Where = { kind: "null", column };
    return { kind: "not", term: { kind: "or", terms: [isNull, this.#in(column)] } };
  }

  #in(column: WhereColumn): Where {
    if (!this.#takeSymbol("(")) throw this.#error('"("');
    const values: WhereValue[] = [];
    do {
      if (++this.#terms > MAX_TERMS) throw this.#error(`at most ${MAX_TERMS} terms`);
      values.push(this.#value(column));
    } while (this.#takeSymbol(","));
    if (!this.#takeSymbol(")")) throw this.#error('"," or ")"');
    return { kind: "in", column, values };
  }

  #value(column: WhereColumn): WhereValue {
    const token = this.#token;
    if (token.kind !== "word" && token.kind !== "string")
      throw this.#error(`${LITERAL_FORMS[column.type]} for column "${column.name}"`);
    const value = parseLiteral(token, column.type, this.#now);
    if (value === undefined)
      throw this.#error(`${LITERAL_FORMS[column.type]} for column "${column.name}" (${column.type})`);
    this.#at++;
    return value;
  }

  #text(): string {
    const { kind, text } = this.#token;
    if (kind !== "word" && kind !== "string") throw this.#error("a text");
    this.#at++;
    return text;
  }

  #wantText(column: WhereColumn, operator: Token): void {
    if (column.type === "text" || isListType(column.type)) return;
    throw new WhereError(
      operator.position,
      `"${operator.text}"`,
      `another operator: column "${column.name}" (${column.type}) is not text`,
    );
  }

  #search(text: string): Where {
    return join(
      "or",
      this.#searched.map((column): Where => ({ kind: "contains", column, text })),
    );
  }

  #takeWord(word: string): boolean {
    const { kind, text } = this.#token;
    if (kind !== "word" || text.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const { kind, text } = this.#token;
    if (kind !== "symbol" || text !== symbol) return false;
    this.#at++;
    return true;
  }

  #error(wanted: string): WhereError {
    const { kind, text, position } = this.#token;
    return new WhereError(position, kind === "end" ? "the end" : `"${text}"`, wanted);
  }
}

function isKeyword(text: string): boolean {
  return /^(and|or|not|in|is|contains|null)$/i.test(text);
}

function join(kind: "and" | "or", terms: readonly Where[]): Where {
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : { kind, terms };
}
