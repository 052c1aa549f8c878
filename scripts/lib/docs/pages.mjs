// The pages of the documentation that people write, with their fenced blocks and links.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../process.mjs';

/** Every page: README.md, docs/** and examples/README.md. The API reference is none: its blocks are types. */
export function allPages() {
  const docs = readdirSync(join(root, 'docs'), { recursive: true })
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md') && !path.startsWith('docs/reference/api/'));
  return ['README.md', 'examples/README.md', ...docs.sort()].map(read);
}

function read(path) {
  const text = readFileSync(join(root, path), 'utf8');
  // A page can continue in the workspace of another page.
  const [, parent] = /^<!-- continues: (\S+) -->$/m.exec(text) ?? [];
  return {
    path,
    text,
    continues: parent === undefined ? undefined : join(dirname(path), parent).replaceAll('\\', '/'),
    blocks: blocksOf(text),
  };
}

/** Fenced blocks: language, reason for not running them, exit code, line of the fence, code. */
function blocksOf(text) {
  return [...text.matchAll(/^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language, info, code] = match;
    const [, reason] = /not-run="([^"]*)"/.exec(info) ?? [];
    const [, exit = '0'] = /exit="(\d+)"/.exec(info) ?? [];
    const line = text.slice(0, match.index).split('\n').length;
    return { language, info: info.trim(), reason, exit, line, code };
  });
}

/** Whether a block is run. */
export function isRun({ language, reason }) {
  return ['sh', 'ts'].includes(language) && reason === undefined;
}

/** Links of a page to files that do not exist. */
export function deadLinks({ path, text }) {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !target.startsWith('#'))
    .filter((target) => !existsSync(join(root, dirname(path), target.replace(/#.*$/, ''))));
}

/** The codes of the warnings that the Rust sources give. */
export function warningCodes() {
  const list = (folder, end) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith(end) && !/(^|\/)tests?(\.rs|\/)/.test(path))
      .map((path) => readFileSync(join(root, folder, path), 'utf8').split('#[cfg(test)]')[0]);
  const texts = [...list('crates', '.rs'), ...list('ts', '.ts')];
  return new Set(texts.flatMap((text) => [...text.matchAll(/["'](WARN_\w+)["']/g)].map(([, code]) => code)));
}
