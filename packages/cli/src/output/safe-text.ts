// SPDX-License-Identifier: Apache-2.0

import { formatValue } from "@skep/rows";
import { Scalar, stringify } from "yaml";

/**
 * Characters that JSON leaves as they are and a terminal obeys: DEL, the C1 controls (one of them begins an escape
 * sequence), and those that turn the direction of writing. JSON has them nowhere but inside strings.
 */
const OBEYED = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text that others chose on one line: it cannot move the cursor, nor turn the direction of writing. */
export function printable(text: string): string {
  return formatValue(text);
}

/** The same for text of several lines: line breaks and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(/[^\n\t]+/g, printable);
}

/** The same JSON in characters that a terminal only shows. */
export function printableJson(json: string): string {
  return json.replace(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** YAML in characters that a terminal only shows. Its double-quoted strings have the escapes of JSON. */
export function printableYaml(data: unknown): string {
  const quoted = (_key: unknown, value: unknown): unknown => {
    if (typeof value !== "string" || value.search(OBEYED) === -1) return value;
    const scalar = new Scalar(value);
    scalar.type = Scalar.QUOTE_DOUBLE;
    return scalar;
  };
  return printableJson(stringify(data, quoted));
}
