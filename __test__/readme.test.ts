import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { main } from '../ts/cli/program.js';
import { packageRoot } from '../ts/version.js';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');

/** The fenced blocks of one language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (m) => m[1] ?? '',
  );
}

test('every TypeScript example of the README type-checks against the package', async (t) => {
  const base = join(packageRoot, 'dist');
  await mkdir(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'readme-'));
  await mkdir(join(folder, 'node_modules'));
  symlinkSync(packageRoot, join(folder, 'node_modules', 'nnunet-diag'), 'junction');
  const examples = blocks('ts');
  t.true(examples.length >= 3);
  examples.forEach((code, i) => {
    writeFileSync(join(folder, `example${i}.ts`), code);
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true },
    ...{ types: ['node'], typeRoots: [join(packageRoot, 'node_modules', '@types')] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  t.notThrows(() => execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }));
});

test('every command of the README exists and has the flags used', async (t) => {
  const lines = blocks('sh')
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('nnunet-diag '));
  t.true(lines.length >= 8);
  for (const line of lines) {
    const words = line.split(' ').slice(1);
    const verb = words[0] === 'libtorch' ? words.slice(0, 2) : words.slice(0, 1);
    let help = '';
    const io = { out: { write: (s: string) => (help += s) }, err: { write: () => true } };
    t.is(await main([...verb, '--help'], io), 0, line);
    for (const flag of words.filter((w) => /^--?[a-z]/.test(w))) {
      t.regex(help, new RegExp(`(^|[ ,])${flag}([ ,]|$)`, 'm'), `${line}: ${flag}`);
    }
  }
});
