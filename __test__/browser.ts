/** A browser that the tests of a file share, and what they ask of a page. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

/**
 * The browser that the variable names, Debian's Chromium, or Chrome. Without one the tests count as skipped.
 */
const BROWSER = [process.env.NNUNET_DIAG_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
export const browserTest = BROWSER === undefined ? test.skip : test.serial;

/** How long a test waits for what must come. A machine with other work may be slow; a pass does not wait. */
export const PATIENCE_MS = 120_000;

let launched: Promise<Browser> | undefined;

test.after.always('the browser is closed', async () => {
  await (await launched)?.close();
});

export interface Screen {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** Script that runs before those of the page. */
  readonly before?: string;
}

/**
 * Opens an address in a new window, uses it, and checks that it had no error and asked only addresses that
 * begin with `allowed` (the address itself by default).
 */
export async function withWindow(
  t: ExecutionContext,
  url: string,
  use: (page: Page) => Promise<void>,
  { width = 1280, colorScheme = 'light', before }: Screen = {},
  forgive: (problem: string) => boolean = () => false,
): Promise<void> {
  launched ??= chromium.launch({
    executablePath: BROWSER ?? '',
    args: ['--no-sandbox'],
    timeout: PATIENCE_MS,
  });
  const context = await (await launched).newContext({ viewport: { width, height: 900 }, colorScheme });
  try {
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) problems.push(request.url());
    });
    if (before !== undefined) await page.addInitScript(before);
    await page.goto(url);
    await use(page);
    t.deepEqual(
      problems.filter((problem) => !forgive(problem)),
      [],
    );
  } finally {
    await context.close();
  }
}

/** Waits until a page gives a value: equal to the expected one, matching it, or accepted by it. */
export async function settles<T>(
  t: ExecutionContext,
  read: () => Promise<T>,
  expected: T | RegExp | ((value: T) => boolean),
  message?: string,
): Promise<T> {
  const fits = (value: T): boolean => {
    if (expected instanceof RegExp) return expected.test(String(value));
    if (typeof expected === 'function') return (expected as (value: T) => boolean)(value);
    return isDeepStrictEqual(value, expected);
  };
  const end = Date.now() + PATIENCE_MS;
  let value = await read();
  while (!fits(value) && Date.now() < end) {
    await setTimeout(50);
    value = await read();
  }
  if (fits(value)) t.pass();
  else t.fail(`${message ?? 'value'}: got ${JSON.stringify(value)}, expected ${String(expected)}`);
  return value;
}

/** Text of an element. */
export const textOf = async (element: Locator) => (await element.textContent()) ?? '';

/** Colours of the pixels of a part of a canvas, given in shares of its width and height. */
export async function pixels(
  page: Page,
  plane: number,
  [left, top, right, bottom]: readonly [number, number, number, number],
): Promise<number[][]> {
  const read = `(() => {
    const canvas = document.querySelectorAll('.plane canvas')[${plane}];
    const at = (share, length) => Math.min(length - 1, Math.floor(share * length));
    const [x, y] = [at(${left}, canvas.width), at(${top}, canvas.height)];
    const [width, height] = [at(${right}, canvas.width) - x + 1, at(${bottom}, canvas.height) - y + 1];
    return [...canvas.getContext('2d').getImageData(x, y, width, height).data];
  })()`;
  const bytes = (await page.evaluate(read)) as number[];
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(4 * at, 4 * at + 3));
}

/** Colour of the pixel at a place of a canvas. */
export async function pixel(page: Page, plane: number, across: number, down: number): Promise<number[]> {
  return (await pixels(page, plane, [across, down, across, down]))[0] ?? [];
}
