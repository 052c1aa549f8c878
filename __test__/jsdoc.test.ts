/** The documentation that an editor shows, as the TypeScript language service gives it for the published types. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import ts from 'typescript';
import { packageRoot } from '../ts/version.js';

const dist = join(packageRoot, 'dist');
/** A script of a user, which exists only for the language service. */
const SCRIPT = join(dist, 'jsdoc-probe.ts');

/** What the test reads of `schema.json`. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const schema = JSON.parse(
  readFileSync(join(packageRoot, 'ts', 'generated', 'schema.json'), 'utf8'),
) as Schema;

/** A language service over the published types and one script. */
function serviceFor(script: string): ts.LanguageService {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    types: ['node'],
    typeRoots: [join(packageRoot, 'node_modules', '@types')],
  };
  const read = (path: string) => (path === SCRIPT ? script : ts.sys.readFile(path));
  return ts.createLanguageService({
    getScriptFileNames: () => [SCRIPT],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const text = read(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => dist,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (path) => path === SCRIPT || ts.sys.fileExists(path),
    readFile: read,
    directoryExists: ts.sys.directoryExists,
  });
}

/** A language service and the types that the package exports, by name. */
function published() {
  const service = serviceFor("import * as nnunet from './ts/index.js';\nnnunet;\n");
  const program = service.getProgram();
  const checker = program?.getTypeChecker();
  const index = program?.getSourceFile(join(dist, 'ts', 'index.d.ts'));
  const module = index && checker?.getSymbolAtLocation(index);
  if (checker === undefined || module === undefined) throw new Error('dist/ts/index.d.ts: run tsc first');
  const symbols = checker.getExportsOfModule(module);
  const types = new Map(symbols.map((s) => [s.name, checker.getDeclaredTypeOfSymbol(s)]));
  return { service, checker, types };
}

/** Documentation and tags that the editor shows at the declaration of a property, in one line. */
function shown(service: ts.LanguageService, property: ts.Symbol): string {
  const declaration = property.declarations?.[0];
  if (declaration === undefined) return '';
  const name = ts.getNameOfDeclaration(declaration) ?? declaration;
  const info = service.getQuickInfoAtPosition(declaration.getSourceFile().fileName, name.getStart());
  const tags = info?.tags?.map((tag) => `@${tag.name} ${ts.displayPartsToString(tag.text)}`) ?? [];
  return words([ts.displayPartsToString(info?.documentation), ...tags].join(' '));
}

/** Text without line breaks. */
function words(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The objects that a value of this schema can be, without references, lists and null. */
function objectsOf(type: Schema): Schema[] {
  const name = type.$ref?.replace('#/$defs/', '');
  if (name !== undefined) return objectsOf(schema.$defs?.[name] ?? {});
  const inner = [...(type.oneOf ?? type.anyOf ?? []), ...(type.items === undefined ? [] : [type.items])];
  return [...(type.properties === undefined ? [] : [type]), ...inner.flatMap(objectsOf)];
}

/** The object types among the members of a type, with the elements of lists. */
function membersOf(checker: ts.TypeChecker, type: ts.Type): ts.Type[] {
  if (type.isUnion()) return type.types.flatMap((member) => membersOf(checker, member));
  const element = checker.isArrayLikeType(type)
    ? checker.getIndexTypeOfType(type, ts.IndexKind.Number)
    : undefined;
  if (element !== undefined) return membersOf(checker, element);
  return type.getFlags() & ts.TypeFlags.Object ? [type] : [];
}

/** Whether a TypeScript type has the properties of a schema, with the same fixed values. */
function matches(checker: ts.TypeChecker, type: ts.Type, object: Schema): boolean {
  return Object.entries(object.properties ?? {}).every(([name, property]) => {
    const found = type.getProperty(name);
    if (found === undefined) return false;
    const value = checker.getTypeOfSymbol(found);
    return property.const === undefined || (value.isLiteral() && value.value === property.const);
  });
}

test('the editor shows documentation and default of every option, nested ones included', (t) => {
  const { service, checker, types } = published();
  const seen = new Map<string, string>();
  const visit = (object: Schema, type: ts.Type, path: string): void => {
    for (const [name, property] of Object.entries(object.properties ?? {})) {
      const option = `${path}.${name}`;
      const symbol = type.getProperty(name);
      if (symbol === undefined) {
        t.fail(`${option}: the published type lacks it`);
        continue;
      }
      // The fixed value that tells the members of a union apart is documented with the union.
      if (property.const !== undefined) continue;
      const text = shown(service, symbol);
      seen.set(option, text);
      t.true(text.length > 0, `${option}: no documentation`);
      t.true(text.includes(words(property.description ?? '?')), `${option}: ${text}`);
      if (property.default !== undefined && property.default !== null) {
        const { default: initial } = property;
        const found = / @default (.*)$/.exec(text)?.[1] ?? 'null';
        t.deepEqual(JSON.parse(found), initial, `${option}: @default`);
      }
      const members = membersOf(checker, checker.getTypeOfSymbol(symbol));
      for (const inner of objectsOf(property)) {
        const member = members.find((candidate) => matches(checker, candidate, inner));
        if (member === undefined) t.fail(`${option}: no published type for ${JSON.stringify(inner)}`);
        else visit(inner, member, option);
      }
    }
  };
  for (const [verb, { $ref }] of Object.entries(schema.properties ?? {})) {
    const name = $ref?.replace('#/$defs/', '') ?? '';
    const type = types.get(name);
    if (type === undefined) t.fail(`${verb}: ${name} is not exported`);
    else visit(schema.$defs?.[name] ?? {}, type, name);
  }
  // A walk that stops at the first level would pass, too.
  for (const option of [
    'CheckOptions.tolerance',
    'EvaluateOptions.labels.name',
    'TrainOptions.recipe.loss.dice',
    'TrainOptions.recipe.sampling.keepAnnotated',
    'TrainOptions.recipe.sampling.fraction',
    'WeightmapsOptions.sigma',
  ]) {
    t.true(seen.has(option), option);
  }
});

test('the editor shows documentation of every property of every exported type', (t) => {
  const { service, checker, types } = published();
  const bare: string[] = [];
  for (const [name, type] of types) {
    // The members of a union are exported themselves.
    if (type.isUnion()) continue;
    for (const property of checker.getPropertiesOfType(type)) {
      const file = property.declarations?.[0]?.getSourceFile().fileName;
      const value = checker.getTypeOfSymbol(property);
      // Of arrays and errors only what this package declares; a fixed value is documented with its type.
      if (!file?.startsWith(join(dist, 'ts')) || value.isLiteral() || /^(__)?[@#]/.test(property.name))
        continue;
      if (shown(service, property) === '') bare.push(`${name}.${property.name}`);
    }
  }
  t.deepEqual(bare, []);
});

/** What the editor offers at `|` in a script, with the documentation of each entry. */
function completions(marked: string): Map<string, string> {
  const position = marked.indexOf('|');
  const service = serviceFor(marked.replace('|', ''));
  const entries = service.getCompletionsAtPosition(SCRIPT, position, {})?.entries ?? [];
  return new Map(
    entries.map(({ name }) => {
      const details = service.getCompletionEntryDetails(
        ...([SCRIPT, position, name, {}, undefined, {}, undefined] as const),
      );
      return [name, words(ts.displayPartsToString(details?.documentation))];
    }),
  );
}

for (const [options, object] of [
  ['{ | }', 'TrainOptions'],
  ['{ recipe: { | } }', 'Recipe'],
  ['{ recipe: { loss: { | } } }', 'LossRecipe'],
] as const) {
  test(`completion in train(${options}) offers every option with its documentation`, (t) => {
    const offered = completions(`import { train } from './ts/index.js';\ntrain(${options});\n`);
    const names = Object.keys(schema.$defs?.[object]?.properties ?? {});
    t.true(names.length >= 5);
    for (const name of names) t.truthy(offered.get(name), `${name}: ${offered.get(name)}`);
    t.is(offered.has('signal'), object === 'TrainOptions');
  });
}
