// SPDX-License-Identifier: Apache-2.0

import type { $ZodType, $ZodTypes } from "zod/v4/core";
import { describeValue, either } from "./value-text.ts";

/** A schema without what merely wraps it: optional, default, readonly, lazy, preprocess. */
export function unwrap(schema: $ZodType): $ZodTypes {
  let current = schema as $ZodTypes;
  for (;;) {
    const definition = current._zod.def;
    switch (definition.type) {
      case "optional":
      case "nullable":
      case "default":
      case "prefault":
      case "nonoptional":
      case "readonly":
      case "catch":
      case "success":
        current = definition.innerType as $ZodTypes;
        break;
      case "lazy":
        current = definition.getter() as $ZodTypes;
        break;
      case "pipe": {
        // A pipe that begins with a transform is a preprocess: what it hands on is what has a shape.
        const input = definition.in as $ZodTypes;
        current = input._zod.def.type === "transform" ? (definition.out as $ZodTypes) : input;
        break;
      }
      default:
        return current;
    }
  }
}

/**
 * The schemas that apply to the part of a value at `path`. Several where a union on the way leaves it open; an
 * alternative whose discriminator says that it is not meant is left out.
 */
export function schemasAt(schema: $ZodType, value: unknown, path: readonly PropertyKey[]): $ZodType[] {
  let schemas: $ZodType[] = [schema];
  let part = value;
  for (const step of path) {
    const inside = part;
    schemas = schemas.flatMap((each) => alternatives(each, inside)).flatMap((each) => childSchema(each, step) ?? []);
    part = memberOf(part, step);
  }
  return schemas;
}

/** A member of a map or list of which nothing is known; undefined when there is none. */
export function memberOf(value: unknown, step: PropertyKey): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, step)
    ? Reflect.get(value, step)
    : undefined;
}

/** Every key that the part of a value at `path` may have. */
export function knownKeys(schema: $ZodType, value: unknown, path: readonly PropertyKey[]): string[] {
  const part = path.reduce(memberOf, value);
  const objects = schemasAt(schema, value, path).flatMap((each) => alternatives(each, part));
  const keys = objects.flatMap((object) => {
    const definition = object._zod.def;
    return definition.type === "object" ? Object.keys(definition.shape) : [];
  });
  return [...new Set(keys)];
}

/** What a schema wants, in words: `a string`, `a map with file and map`, `"a" or "b"`. */
export function describeSchema(schema: $ZodType): string {
  const plain = unwrap(schema);
  const definition = plain._zod.def;
  switch (definition.type) {
    case "object": {
      const required = Object.entries(definition.shape).filter(([, field]) => field._zod.optin === undefined);
      const names = required.map(([name]) => name);
      return names.length === 0 ? "a map" : `a map with ${either(names).replace(/ or (?=[^ ]*$)/, " and ")}`;
    }
    case "literal":
      return either(definition.values.map((literal) => describeValue(literal)));
    case "enum":
      return either(Object.values(definition.entries).map((entry) => describeValue(entry)));
    case "union":
      return either([...new Set(definition.options.map(describeSchema))]);
    case "number": {
      const format = "format" in definition ? String(definition.format) : "";
      return describeType(format.includes("int") ? "int" : "number");
    }
    default:
      return describeType(definition.type);
  }
}

/** A type's name in zod, in the words of someone who writes YAML. */
export function describeType(type: string): string {
  switch (type) {
    case "string":
      return "a string";
    case "number":
      return "a number";
    case "int":
    case "bigint":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "array":
    case "tuple":
      return "a list";
    case "object":
    case "record":
    case "map":
      return "a map";
    case "nonoptional":
      return "a value";
    default:
      return type;
  }
}

/** The schema itself, or the options of a union that may be meant by the value. */
function alternatives(schema: $ZodType, value: unknown): $ZodTypes[] {
  const plain = unwrap(schema);
  const definition = plain._zod.def;
  if (definition.type === "intersection")
    return [definition.left, definition.right].flatMap((side) => alternatives(side, value));
  if (definition.type !== "union") return [plain];
  const options = definition.options.flatMap((option) => alternatives(option, value));
  const discriminator = "discriminator" in definition ? definition.discriminator : undefined;
  if (typeof discriminator !== "string") return options;
  const chosen = memberOf(value, discriminator);
  const meant = options.filter((option) => option._zod.propValues?.[discriminator]?.has(chosen as string));
  return meant.length > 0 ? meant : options;
}

function childSchema(schema: $ZodTypes, step: PropertyKey): $ZodType | undefined {
  const definition = schema._zod.def;
  switch (definition.type) {
    case "object":
      return definition.shape[String(step)] ?? definition.catchall;
    case "record":
      return definition.valueType;
    case "array":
      return definition.element;
    case "tuple":
      return definition.items[Number(step)] ?? definition.rest ?? undefined;
    default:
      return undefined;
  }
}
