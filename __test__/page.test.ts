import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import anyTest, { type TestFn } from 'ava';
import { type Browser, chromium, type Page } from 'playwright-core';
import { workspace } from './made-up.js';
import { grey, madeUpPage } from './made-up-report.js';

/** Debian's Chromium, or the browser that the variable names. */
const BROWSER = [process.env.NNUNET_DIAG_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
const test = anyTest as TestFn<{ browser: Browser; page: Page; problems: string[] }>;
// A skipped test is listed in the output.
const browserTest = BROWSER === undefined ? test.skip : test.serial;

browserTest.beforeEach?.(async () => {});
test.beforeEach(async (t) => {
  if (BROWSER === undefined) return;
  const { root } = await workspace(t);
  const file = join(root, 'report.html');
  await writeFile(file, await madeUpPage());
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && request.url() !== pathToFileURL(file).href)
      problems.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('.uplot canvas');
  t.context = { browser, page, problems };
});
