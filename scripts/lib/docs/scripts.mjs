// Type-checks the TypeScript blocks of all pages at once and compiles them for the run.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root } from '../process.mjs';

/** Name of the file of a block, without its ending. */
export const fileOf = (page, block) => `${page.path.replaceAll(/[/.]/g, '-')}-${block.line}`;

/**
 * Compiles every TypeScript block into `folder`, where `nnunet-diag` is this build; returns the compiler's
 * messages.
 */
export async function compileBlocks(pages, folder) {
  const blocks = join(folder, 'blocks');
  mkdirSync(blocks, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'nnunet-diag'), 'junction');
  const scripts = pages.flatMap((page) =>
    page.blocks
      .filter(({ language }) => language === 'ts')
      .map((block) => ({ name: fileOf(page, block), code: block.code })),
  );
  if (scripts.length === 0) return '';
  for (const { name, code } of scripts) writeFileSync(join(blocks, `${name}.ts`), code);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'NodeNext', strict: true, exactOptionalPropertyTypes: true },
    // Node runs such files without a compiler.
    ...{ erasableSyntaxOnly: true, noUncheckedIndexedAccess: true, noUnusedLocals: true },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules', '@types')], noEmitOnError: false },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['blocks'] }));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await capture(process.execPath, [tsc, '-p', folder], { quiet: true });
  return code === 0 ? '' : output;
}
