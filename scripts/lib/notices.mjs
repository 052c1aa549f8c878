// Whether THIRD-PARTY-NOTICES.md, which cargo-about writes, still names the crates of the addons.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLATFORMS } from './platforms.mjs';
import { capture, root } from './process.mjs';

/** Crates of the addons that the notices lack, and crates of the notices that Cargo.lock lacks: `name version`. */
export async function staleNotices() {
  const text = readFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), 'utf8');
  const named = new Set([...text.matchAll(/^- (\S+ \d\S*)$/gm)].map(([, crate]) => crate));
  const targets = PLATFORMS.flatMap(({ target }) => ['--target', target]);
  const tree = ['tree', '--locked', '-p', 'node', '-p', 'node-torch', '-e', 'normal', '--prefix', 'none'];
  const { code, output } = await capture('cargo', [...tree, ...targets], { quiet: true });
  if (code !== 0) return [`cargo tree failed: ${output}`];
  // The crates of this workspace have a path.
  const used = [...output.matchAll(/^(\S+) v(\S+)(?: \((?:proc-macro|\*)\))*$/gm)].map(
    ([, n, v]) => `${n} ${v}`,
  );
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  const locked = new Set(
    [...lock.matchAll(/name = "(.+)"\nversion = "(.+)"/g)].map(([, n, v]) => `${n} ${v}`),
  );
  return [...new Set(used)].filter((c) => !named.has(c)).concat([...named].filter((c) => !locked.has(c)));
}
