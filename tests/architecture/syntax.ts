import ts from 'typescript';
import type { HouseFile } from './house.ts';

export interface Found {
  readonly line: number;
  readonly text: string;
}

const trees = new WeakMap<HouseFile, ts.SourceFile>();

function treeOf(file: HouseFile): ts.SourceFile {
  const known = trees.get(file);
  if (known) return known;
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2024, true);
  trees.set(file, tree);
  return tree;
}

function* walk(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* walk(child);
}

function where(file: HouseFile, node: ts.Node): Found {
  const tree = treeOf(file);
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
  return { line: line + 1, text: node.getText(tree) };
}

/** Texts in quotes and templates; what a template inserts shows as `${}`. */
export function textsOf(file: HouseFile): Found[] {
  const found: Found[] = [];
  for (const node of walk(treeOf(file))) {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      found.push({ ...where(file, node), text: node.text });
    } else if (ts.isTemplateExpression(node)) {
      const text = node.head.text + node.templateSpans.map((span) => `\${}${span.literal.text}`).join('');
      found.push({ ...where(file, node), text });
    }
  }
  return found;
}

/** Names that the file imports from, with their lines; type imports and `import()` too. */
export function importsOf(file: HouseFile): Found[] {
  const found: Found[] = [];
  for (const node of walk(treeOf(file))) {
    const source =
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ? node.moduleSpecifier : undefined) ??
      (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        ? node.arguments[0]
        : undefined) ??
      (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    if (source && ts.isStringLiteral(source)) found.push({ line: where(file, source).line, text: source.text });
  }
  return found;
}

/** `export ... from`: what makes a barrel of a file. */
export function reExportsOf(file: HouseFile): Found[] {
  return [...walk(treeOf(file))]
    .filter((node) => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
    .map((node) => where(file, node));
}

/** True when the file declares nothing and exports what others declare. */
export function isOnlyPassage(file: HouseFile): boolean {
  const { statements } = treeOf(file);
  const passes = statements.some((statement) => ts.isExportDeclaration(statement));
  return (
    passes && statements.every((statement) => ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement))
  );
}

/** Syntax that Node's own type stripping refuses or that hides behaviour. */
export function forbiddenSyntaxOf(file: HouseFile): Found[] {
  return [...walk(treeOf(file))]
    .filter(
      (node) =>
        ts.isEnumDeclaration(node) ||
        ts.isDecorator(node) ||
        ts.isModuleDeclaration(node) ||
        (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent)),
    )
    .map((node) => where(file, node));
}

/** Calls and constructions as `name(arguments)`, with the arguments as they are written. */
export function callsOf(file: HouseFile): (Found & { readonly name: string; readonly arguments: readonly string[] })[] {
  const tree = treeOf(file);
  return [...walk(tree)]
    .filter((node) => ts.isCallExpression(node) || ts.isNewExpression(node))
    .map((node) => ({
      ...where(file, node),
      name: node.expression.getText(tree),
      arguments: (node.arguments ?? []).map((argument) => argument.getText(tree)),
    }));
}

/** Both sides of each `==`, `===` and their opposites, as they are written. */
export function comparisonsOf(file: HouseFile): (Found & { readonly sides: readonly [string, string] })[] {
  const tree = treeOf(file);
  const compares = new Set([
    ts.SyntaxKind.EqualsEqualsToken,
    ts.SyntaxKind.EqualsEqualsEqualsToken,
    ts.SyntaxKind.ExclamationEqualsToken,
    ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ]);
  return [...walk(tree)]
    .filter((node) => ts.isBinaryExpression(node) && compares.has(node.operatorToken.kind as never))
    .map((node) => node as ts.BinaryExpression)
    .map((node) => ({ ...where(file, node), sides: [node.left.getText(tree), node.right.getText(tree)] as const }));
}

/** The file without its comments and texts, so that words in them are not taken for code. */
export function codeOf(file: HouseFile): string {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2024, true, ts.LanguageVariant.Standard, file.text);
  let code = '';
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const isText = token === ts.SyntaxKind.StringLiteral || token === ts.SyntaxKind.NoSubstitutionTemplateLiteral;
    code += `${isText ? "''" : scanner.getTokenText()} `;
  }
  return code;
}
