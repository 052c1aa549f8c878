import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import axe from 'axe-core';
import { chromium, type Locator, type Page } from 'playwright-core';
import { workspace } from './made-up.js';
import { grey, madeUpPage } from './made-up-report.js';

/** The browser that the variable names, Debian's Chromium, or Chrome. Without one the tests count as skipped. */
const BROWSER = [process.env.NNUNET_DIAG_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
const browserTest = BROWSER === undefined ? test.skip : test.serial;

interface Screen {
  width?: number;
  colorScheme?: 'light' | 'dark';
}

/** Opens the made-up page, and checks at the end that it had no error and loaded nothing. */
async function withPage(
  t: ExecutionContext,
  use: (page: Page) => Promise<void>,
  { width = 1280, colorScheme = 'light' }: Screen = {},
): Promise<void> {
  const { root } = await workspace(t);
  const file = join(root, 'report.html');
  const url = pathToFileURL(file).href;
  await writeFile(file, await madeUpPage());
  const browser = await chromium.launch({ executablePath: BROWSER ?? '', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const problems: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) problems.push(request.url());
    });
    await page.goto(url);
    await page.waitForSelector('.uplot canvas');
    await page.locator('.viewer').scrollIntoViewIfNeeded();
    await page.waitForSelector('.plane canvas');
    await use(page);
    t.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}

/** Colour of the pixel at the centre of a cell of a canvas that shows `columns` times `rows` voxels. */
function pixel(page: Page, plane: number, [column, columns]: number[], [row, rows]: number[]) {
  const read = `(() => {
    const canvas = document.querySelectorAll('.plane canvas')[${plane}];
    const x = Math.floor((${column} + 0.5) / ${columns} * canvas.width);
    const y = Math.floor((${row} + 0.5) / ${rows} * canvas.height);
    return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);
  })()`;
  return page.evaluate(read) as Promise<number[]>;
}

/** Text of an element. */
const textOf = async (element: Locator) => (await element.textContent()) ?? '';
const readout = (page: Page) => textOf(page.locator('.viewer .readout'));

browserTest(
  'the worst case opens first, at its largest error; planes show the voxels of the array',
  async (t) => {
    await withPage(t, async (page) => {
      t.regex(await textOf(page.locator('.viewer select').first().locator('option').first()), /^worst /);
      // The crop begins at voxel (1, 2, 3) of the file.
      t.regex(await readout(page), /^Voxel \(z, y, x\) 3, 12, 9; R 4\.0 P 15\.0 S 13\.0 mm; image 106; /);
      const shade = (z: number, y: number, x: number) => Array(3).fill(grey(z, y, x));
      // Axial: left is the patient's right, which is low x; anterior is up, which is low y.
      t.deepEqual(await pixel(page, 0, [25, 30], [17, 20]), shade(2, 17, 25));
      // Coronal: superior is up, which is high z.
      t.deepEqual(await pixel(page, 1, [25, 30], [1, 6]), shade(4, 10, 25));
      // Sagittal: anterior is left.
      t.deepEqual(await pixel(page, 2, [17, 20], [5, 6]), shade(0, 17, 6));
      await page.getByLabel('View').selectOption({ label: 'neurological' });
      t.deepEqual(await pixel(page, 0, [4, 30], [17, 20]), shade(2, 17, 25));
      t.regex((await page.locator('.plane canvas').first().getAttribute('aria-label')) ?? '', /left L$/);
    });
  },
);

browserTest('wheel and keys move the slice and the crosshair', async (t) => {
  await withPage(t, async (page) => {
    const axial = page.locator('.plane canvas').first();
    await axial.hover();
    await page.mouse.wheel(0, 100);
    t.regex(await readout(page), /Voxel \(z, y, x\) 4, 12, 9;/);
    t.deepEqual(await pixel(page, 0, [25, 30], [17, 20]), Array(3).fill(grey(3, 17, 25)));
    await axial.focus();
    for (const key of ['PageDown', 'PageDown', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    t.regex(await readout(page), /Voxel \(z, y, x\) 2, 13, 10;/);
    t.deepEqual(await pixel(page, 0, [25, 30], [17, 20]), Array(3).fill(grey(1, 17, 25)));
    await page.getByRole('button', { name: 'Largest error' }).click();
    t.regex(await readout(page), /Voxel \(z, y, x\) 3, 12, 9;/);
  });
});

browserTest('window, preset and layers change the pixels', async (t) => {
  await withPage(t, async (page) => {
    const box = await page.locator('.plane canvas').first().boundingBox();
    if (box === null) return t.fail('the plane has no box');
    const at = () => pixel(page, 0, [25, 30], [17, 20]);
    const before = await at();
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 40, box.y + 100);
    await page.mouse.up();
    const dragged = await at();
    t.true((dragged[0] ?? 0) < (before[0] ?? 0), 'a higher level is darker');
    t.regex(await readout(page), /Voxel \(z, y, x\) 3, 12, 9;/, 'a drag leaves the crosshair');
    await page.getByLabel('Preset').selectOption({ label: 'brain' });
    t.deepEqual(await at(), [255, 255, 255]);
    // A voxel that only the prediction has.
    const extra = () => pixel(page, 0, [15, 30], [8, 20]);
    await page.getByLabel('prediction', { exact: true }).uncheck();
    t.deepEqual(await extra(), [255, 255, 255]);
    await page.getByLabel('difference', { exact: true }).check();
    t.notDeepEqual(await extra(), [255, 255, 255]);
  });
});

browserTest(
  'hover and keys read the values of an epoch; smoothing and toggles draw other curves',
  async (t) => {
    await withPage(t, async (page) => {
      const chart = page.locator('.chart').first();
      const text = page.locator('.charts .readout').first();
      const picture = () => page.evaluate('document.querySelector(".uplot canvas").toDataURL()');
      await chart.focus();
      await page.keyboard.press('ArrowRight');
      t.is(await textOf(text), 'Epoch 0: fold_0 training 1, fold_1 training 1');
      await page.keyboard.press('ArrowRight');
      t.is(await textOf(text), 'Epoch 1: fold_0 training 0.8333, fold_1 training 0.9091');
      const box = await chart.locator('.u-over').boundingBox();
      if (box === null) return t.fail('the chart has no box');
      await page.mouse.move(box.x + (box.width * 20) / 39, box.y + 50);
      t.is(await textOf(text), 'Epoch 20: fold_0 training 0.2, fold_1 training 0.3333');
      const before = await picture();
      await page.getByLabel('Smoothing').fill('0.9');
      const smoothed = await picture();
      t.not(smoothed, before);
      await page.getByLabel('fold_1').uncheck();
      t.not(await picture(), smoothed);
      await page.getByLabel('Logarithmic epochs').check();
      await page.getByLabel('grey matter').first().uncheck();
      t.is(await page.locator('.uplot').count(), 1);
    });
  },
);

browserTest('a heading sorts its table, by keyboard too', async (t) => {
  await withPage(t, async (page) => {
    const table = page.getByRole('region', { name: 'Cases, worst first' });
    const first = () => textOf(table.locator('tbody tr').first());
    t.regex(await first(), /^worst/);
    await table.getByRole('button', { name: 'Case' }).focus();
    await page.keyboard.press('Enter');
    t.regex(await first(), /^best/);
    await page.keyboard.press('Enter');
    t.regex(await first(), /^worst/);
  });
});

for (const screen of [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const) {
  const name = `${screen.width} pixels, ${screen.colorScheme}`;
  browserTest(`${name}: axe-core finds nothing serious, nothing is wider than the page`, async (t) => {
    await withPage(
      t,
      async (page) => {
        t.true(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= screen.width);
        const paper = (await page.evaluate('getComputedStyle(document.body).backgroundColor')) as string;
        t.is(paper, screen.colorScheme === 'dark' ? 'rgb(20, 23, 26)' : 'rgb(255, 255, 255)');
        await page.evaluate(axe.source);
        const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults;
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        t.deepEqual(
          serious.map(({ id }) => id),
          [],
        );
      },
      screen,
    );
  });
}

browserTest('print has no controls', async (t) => {
  await withPage(t, async (page) => {
    await page.emulateMedia({ media: 'print' });
    t.is(await page.locator('.controls:visible').count(), 0);
    t.true((await page.locator('.plane canvas:visible').count()) === 3);
    t.true((await page.pdf()).length > 10_000);
  });
});
