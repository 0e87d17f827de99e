// SPDX-License-Identifier: Apache-2.0
import {
  isCallExpression,
  isExportDeclaration,
  isExternalModuleReference,
  isIdentifier,
  isImportDeclaration,
  isImportEqualsDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { lineAt } from "./finding.ts";

/** One module named by a file, by whatever syntax. */
export interface ModuleImport {
  readonly specifier: string;
  /** From 1. */
  readonly line: number;
  /** Erased before the program runs: `import type`, `export type`, `import("x").T`. */
  readonly typeOnly: boolean;
}

/**
 * Every module that a file names: import and export declarations, import types, `import()`, `require()`,
 * `import x = require()`. A specifier that is computed cannot be known and is left out.
 */
export function importsOf(file: SourceFile): ModuleImport[] {
  const found: ModuleImport[] = [];
  const add = (node: Node | undefined, typeOnly: boolean) => {
    if (node === undefined) return;
    if (!isStringLiteral(node) && !isNoSubstitutionTemplateLiteral(node)) return;
    found.push({ specifier: node.text, line: lineAt(file.text, node.getStart(file)), typeOnly });
  };
  const visit = (node: Node): void => {
    if (isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === SyntaxKind.TypeKeyword);
    } else if (isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (isImportEqualsDeclaration(node)) {
      if (isExternalModuleReference(node.moduleReference)) add(node.moduleReference.expression, node.isTypeOnly);
    } else if (isImportTypeNode(node)) {
      if (isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    } else if (isCallExpression(node)) {
      const callee = node.expression;
      const imports = callee.kind === SyntaxKind.ImportKeyword || (isIdentifier(callee) && callee.text === "require");
      if (imports) add(node.arguments[0], false);
    }
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}
