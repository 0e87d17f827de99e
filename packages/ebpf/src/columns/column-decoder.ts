// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "../errors.ts";
import {
  bytesColumn,
  enumColumn,
  ipColumn,
  ipv4Column,
  stackColumn,
  textColumn,
  textsColumn,
} from "./bytes-columns.ts";
import type { ColumnLayout } from "./column-layout.ts";
import type { ColumnDecoder } from "./records.ts";
import { booleanColumn, floatColumn, integerColumn, portColumn, timeColumn } from "./scalar-columns.ts";

/** The decoder of one column. Throws InvalidValueError for a layout that contradicts itself. */
export function columnDecoder(layout: ColumnLayout, little: boolean): ColumnDecoder {
  const decoder = decoderFor(layout, little);
  if (decoder === undefined) {
    throw new InvalidValueError(
      `column "${layout.name}": ${layout.size} bytes cannot be read as ${layout.encoding} into ${layout.type}`,
    );
  }
  return decoder;
}

function decoderFor(layout: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  switch (layout.encoding) {
    case "integer":
      return integerColumn(layout, little);
    case "boolean":
      return booleanColumn(layout, little);
    case "float":
      return floatColumn(layout, little);
    case "ktime":
      return timeColumn(layout, little);
    case "port":
      return portColumn(layout);
    case "enum":
      return enumColumn(layout, little);
    case "cstring":
      return textColumn(layout);
    case "cstrings":
      return textsColumn(layout);
    case "bytes":
      return bytesColumn(layout);
    case "stack":
      return stackColumn(layout, little);
    case "ipv4":
      return ipv4Column(layout);
    case "ipv6":
      return layout.size === 16 ? bytesColumn(layout) : undefined;
    case "ip":
      return ipColumn(layout);
  }
}
