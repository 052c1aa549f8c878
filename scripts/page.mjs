// npm run page: bundles ts/page into crates/report/page.html. With --check, it fails if that file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root, runScript, StepError } from './lib/process.mjs';

const target = join(root, 'crates', 'report', 'page.html');

/** The page without data: one file that loads nothing. */
async function page() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'ts', 'page', 'main.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    loader: { '.css': 'text' },
    charset: 'ascii',
    legalComments: 'inline',
    absWorkingDir: root,
  });
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script').trim();
  const licence = readFileSync(join(root, 'node_modules', 'uplot', 'LICENSE'), 'utf8').trim();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Report</title>
</head>
<body>
<!-- The curves are drawn by uPlot:
${licence}
-->
<noscript>This report needs JavaScript.</noscript>
<script type="application/json" id="report"></script>
<!--blobs-->
<script>${script}</script>
</body>
</html>
`;
}

await runScript(async () => {
  const fresh = await page();
  if (!process.argv.includes('--check')) writeFileSync(target, fresh);
  else if (readFileSync(target, 'utf8') !== fresh) {
    throw new StepError('crates/report/page.html is stale: run npm run page');
  }
});
