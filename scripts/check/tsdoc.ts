// SPDX-License-Identifier: Apache-2.0
import {
  type ClassDeclaration,
  isClassDeclaration,
  isEnumDeclaration,
  isExportDeclaration,
  isFunctionDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isMethodDeclaration,
  isNamedExports,
  isStringLiteral,
  isTypeAliasDeclaration,
  isVariableStatement,
  type Node,
  type SourceFile,
  type Statement,
  SyntaxKind,
} from "typescript/unstable/ast";
import { type Finding, lineAt } from "./finding.ts";
import type { ParsedTree } from "./parse.ts";
import { joinPath } from "./workspace.ts";

/** A declaration that needs a comment. */
interface Declared {
  readonly name: string;
  readonly kind: string;
  /** The node that carries the comment. */
  readonly node: Node;
}

/**
 * Checks that every exported declaration of a package's sources has a doc comment that says more than its name. So
 * must the public methods of the classes that an index.ts hands to other packages, unless the class implements or
 * extends something (the comment is there) or the name is a protocol's (`close`, `toString`, `[Symbol.dispose]`).
 */
export function checkTsdoc(parsed: ParsedTree): Finding[] {
  const published = publishedNames(parsed);
  const findings: Finding[] = [];
  for (const [path, file] of parsed.files) {
    if (!isPackageSource(path)) continue;
    for (const declared of declarationsOf(file, published.get(path))) {
      const message = judgeComment(declared, file);
      if (message !== undefined) {
        findings.push({ path, line: lineAt(file.text, declared.node.getStart(file)), message });
      }
    }
  }
  return findings;
}

function isPackageSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path) && !/\.test\.tsx?$/.test(path);
}

/** What index files export, by the file that declares it. */
function publishedNames(parsed: ParsedTree): Map<string, Set<string>> {
  const published = new Map<string, Set<string>>();
  for (const [path, file] of parsed.files) {
    if (!isPackageSource(path) || !path.endsWith("/index.ts")) continue;
    for (const statement of file.statements) {
      if (!isExportDeclaration(statement) || statement.moduleSpecifier === undefined) continue;
      if (!isStringLiteral(statement.moduleSpecifier) || statement.exportClause === undefined) continue;
      if (!isNamedExports(statement.exportClause)) continue;
      const target = joinPath(path.slice(0, path.lastIndexOf("/")), statement.moduleSpecifier.text);
      const names = published.get(target) ?? new Set();
      for (const { name, propertyName } of statement.exportClause.elements) names.add((propertyName ?? name).text);
      published.set(target, names);
    }
  }
  return published;
}

/** Everything in a file that needs a comment. Of overloads the first carries it. */
function declarationsOf(file: SourceFile, published: ReadonlySet<string> | undefined): Declared[] {
  const exportedBelow = namesExportedBelow(file);
  const found = new Map<string, Declared>();
  for (const statement of file.statements) {
    const exported = hasModifier(statement, SyntaxKind.ExportKeyword);
    for (const declared of namesDeclaredBy(statement)) {
      if ((!exported && !exportedBelow.has(declared.name)) || found.has(declared.name)) continue;
      found.set(declared.name, declared);
      if (!isClassDeclaration(statement) || !published?.has(declared.name)) continue;
      for (const method of publicMethodsOf(statement, file)) {
        const name = `${declared.name}.${method.name}`;
        if (!found.has(name)) found.set(name, { ...method, name });
      }
    }
  }
  return [...found.values()];
}

/** Names in `export { a, b as c }` without a module: exports of declarations in this file. */
function namesExportedBelow(file: SourceFile): Set<string> {
  const names = new Set<string>();
  for (const statement of file.statements) {
    if (!isExportDeclaration(statement) || statement.moduleSpecifier !== undefined) continue;
    if (statement.exportClause === undefined || !isNamedExports(statement.exportClause)) continue;
    for (const { name, propertyName } of statement.exportClause.elements) names.add((propertyName ?? name).text);
  }
  return names;
}

function namesDeclaredBy(statement: Statement): Declared[] {
  if (isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      isIdentifier(name) ? [{ name: name.text, kind: "constant", node: statement }] : [],
    );
  }
  if (isFunctionDeclaration(statement)) return [{ name: nameOf(statement), kind: "function", node: statement }];
  if (isClassDeclaration(statement)) return [{ name: nameOf(statement), kind: "class", node: statement }];
  if (isInterfaceDeclaration(statement)) return [{ name: nameOf(statement), kind: "interface", node: statement }];
  if (isTypeAliasDeclaration(statement)) return [{ name: nameOf(statement), kind: "type", node: statement }];
  if (isEnumDeclaration(statement)) return [{ name: nameOf(statement), kind: "enum", node: statement }];
  return [];
}

function nameOf(declaration: { readonly name?: { readonly text: string } }): string {
  return declaration.name?.text ?? "default";
}

/** Names whose meaning a protocol fixes: a comment would repeat it. */
const protocolNames = new Set(["close", "toString", "toJSON", "next", "return", "throw", "then"]);

function publicMethodsOf(declaration: ClassDeclaration, file: SourceFile): Declared[] {
  if ((declaration.heritageClauses?.length ?? 0) > 0) return [];
  return declaration.members.flatMap((member) => {
    if (!isMethodDeclaration(member) || member.name === undefined) return [];
    if (hasModifier(member, SyntaxKind.PrivateKeyword) || hasModifier(member, SyntaxKind.ProtectedKeyword)) return [];
    const name = member.name.getText(file);
    // Computed names are the well-known symbols.
    if (name.startsWith("#") || name.startsWith("[") || protocolNames.has(name)) return [];
    return [{ name, kind: "method", node: member }];
  });
}

function hasModifier(node: Node & { readonly modifiers?: readonly Node[] }, kind: SyntaxKind): boolean {
  return node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
}

/** Words that say nothing about a particular thing. */
const fillers = new Set(
  "a an the of to for in on with from and or this that it its is are be can get gets return returns given new".split(
    " ",
  ),
);

function judgeComment({ name, kind, node }: Declared, file: SourceFile): string | undefined {
  const comment = node.jsDoc?.at(-1)?.getText(file);
  if (comment === undefined) return `${kind} ${name} has no doc comment`;
  if (comment.includes("{@inheritDoc")) return undefined;
  const words = wordsOf(comment.replaceAll(/@\w+/g, " "));
  if (words.length < 3) return `the comment of ${kind} ${name} is too short to say anything`;
  const known = new Set([...wordsOf(name), kind].map(stem));
  const news = words.filter((word) => !fillers.has(word) && !known.has(stem(word)));
  return news.length === 0 ? `the comment of ${kind} ${name} only repeats the name` : undefined;
}

/** Lower-case words of a text or of a name: `BpfMap.lookupBatch` → bpf, map, lookup, batch. */
function wordsOf(text: string): string[] {
  const spaced = text.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2");
  return spaced.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function stem(word: string): string {
  return word.replace(/(ies|es|s|ed|ing|e)$/, "");
}
