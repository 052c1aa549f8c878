// The JSON Schema of nnunet-diag.config.json, for editors: the schema of the verbs without required options.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './process.mjs';

/** Makes the schema. It needs the compiled TypeScript. */
export async function configSchema() {
  const schema = JSON.parse(readFileSync(join(root, 'ts', 'generated', 'schema.json'), 'utf8'));
  const { COMMON } = await import(pathToFileURL(join(root, 'dist', 'ts', 'config', 'check.js')).href);
  const definitions = { ...schema.$defs };
  for (const { $ref } of Object.values(schema.properties)) {
    const name = $ref.replace('#/$defs/', '');
    // Flags may give what the file leaves out.
    const { required: _, ...options } = definitions[name];
    definitions[name] = options;
  }
  const { properties } = schema.$defs.TrainOptions;
  const common = {
    description: 'Options of every verb that has them.',
    type: 'object',
    properties: Object.fromEntries(COMMON.map((name) => [name, properties[name]])),
    additionalProperties: false,
  };
  return {
    $schema: schema.$schema,
    title: 'Configuration of nnunet-diag',
    type: 'object',
    properties: { $schema: { type: 'string' }, common, ...schema.properties },
    additionalProperties: false,
    $defs: definitions,
  };
}

/** Writes the schema into the package. */
export async function writeConfigSchema() {
  const path = join(root, 'dist', 'ts', 'config.schema.json');
  writeFileSync(path, `${JSON.stringify(await configSchema(), null, 2)}\n`);
}
