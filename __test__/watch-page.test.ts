/** The page that is served, in a browser. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { watch } from '../ts/index.js';
import { browserTest, settles, textOf, withWindow } from './browser.js';
import { training, tunnel } from './made-up-watch.js';

const state = (page: Page) => textOf(page.locator('.live .state'));
const note = (page: Page) => textOf(page.locator('.live .note'));

/** Epochs that the first chart has, read with the keyboard. */
const epochs = async (page: Page) => {
  await page.locator('.chart').first().focus();
  for (let key = 0; key < 6; key += 1) await page.keyboard.press('ArrowRight');
  return textOf(page.locator('.charts .readout').first());
};

browserTest(
  'an epoch appears on the open page, which keeps zoom, choices, sorting and the open case',
  async (t) => {
    const { model, fold, reference, epoch, validate } = await training(t, 4);
    await validate('case0', 1);
    await validate('case1', 2);
    const served = await watch({ paths: [model], reference, interval: 0.2 });
    t.teardown(() => served.close());
    await withWindow(t, served.url, async (page) => {
      await settles(t, () => state(page), 'live');
      await page.waitForSelector('.uplot canvas');
      await settles(t, () => epochs(page), /^Epoch 3: Training loss 0\.25, Validation loss 0\.5$/);

      // The reader zooms into epochs, hides a class, sorts a table and looks at another case.
      const charts = page.locator('.chart');
      const axis = 'document.querySelectorAll(".u-over")[0].getBoundingClientRect().width';
      const width = (await page.evaluate(axis)) as number;
      const over = charts.first().locator('.u-over');
      await over.hover({ position: { x: width * 0.4, y: 40 } });
      await page.mouse.down();
      const box = await over.boundingBox();
      if (box === null) return t.fail('the chart has no box');
      await page.mouse.move(box.x + width * 0.7, box.y + 40, { steps: 4 });
      await page.mouse.up();
      const count = await charts.count();
      const classes = page.locator('.controls').first().getByRole('checkbox');
      const second = classes.nth(2);
      await second.uncheck();
      await settles(t, () => page.locator('.legend').nth(1).locator('li').count(), 1);
      const table = page.getByRole('region', { name: 'Cases, worst first' });
      await table.getByRole('button', { name: 'Case' }).click();
      await settles(t, () => textOf(table.locator('tbody tr').first()), /^case0/);
      await page.locator('.viewer').scrollIntoViewIfNeeded();
      await page.waitForSelector('.plane canvas');
      await page.locator('.viewer select').first().selectOption({ index: 1 });
      const title = () => page.locator('.plane canvas').first().getAttribute('aria-label');
      await settles(t, title, /^case0,/);
      await page.getByLabel('View').selectOption({ label: 'neurological' });
      const opacity = page.getByLabel('Opacity');
      await opacity.fill('0.9');
      const readout = await textOf(page.locator('.viewer .readout'));

      await epoch(4);
      // The last chart is not zoomed: its end is the new epoch.
      await settles(
        t,
        async () => {
          const last = charts.last();
          await last.focus();
          for (let key = 0; key < 6; key += 1) await page.keyboard.press('ArrowRight');
          return textOf(page.locator('.charts .readout').last());
        },
        /^Epoch 4: /,
      );
      t.is(await charts.count(), count);
      // The zoomed chart still begins after epoch 1 and ends before epoch 3: the pointer at its end reads
      // epoch 2 or 3.
      await over.hover({ position: { x: width - 2, y: 40 } });
      await settles(t, () => textOf(page.locator('.charts .readout').first()), /^Epoch [23]: /);
      await settles(t, () => page.locator('.legend').nth(1).locator('li').count(), 1);
      t.false(await second.isChecked());
      await settles(t, () => textOf(table.locator('tbody tr').first()), /^case0/);
      t.is(await textOf(page.locator('.viewer .readout')), readout);

      // A new validation makes other images; the case stays as it was looked at.
      await rm(join(fold, 'validation_raw', 'case1.nii'));
      await validate('case1', 3);
      await settles(
        t,
        () => textOf(page.locator('.viewer select').first().locator('option').first()),
        /^case1 \(0\.6/,
      );
      await settles(t, title, /^case0,.*left L/);
      t.is(await page.getByLabel('Opacity').inputValue(), '0.9');
      t.is(await textOf(page.locator('.viewer .readout')), readout);
    });
  },
);

/** What the browser itself writes when a server is away. */
const lost = (problem: string) =>
  /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED/.test(problem);

browserTest('the page reconnects after the server was away, and says when it has ended', async (t) => {
  const { model, epoch, fold } = await training(t, 1);
  const served = await watch({ paths: [model], interval: 0.2 });
  t.teardown(() => served.close());
  const between = await tunnel(t, served.port);
  const url = served.url.replace(`:${served.port}/`, `:${between.port}/`);
  await withWindow(
    t,
    url,
    async (page) => {
      await settles(t, () => state(page), 'live');
      await settles(t, () => epochs(page), /^Epoch 0: /);
      between.cut();
      await settles(t, () => state(page), 'reconnecting');
      await epoch(1);
      between.mend();
      await settles(t, () => state(page), 'live');
      await settles(t, () => epochs(page), /^Epoch 1: /);
      t.regex(await note(page), /^(Images and scores are being prepared\.|fold_0: stopped)$/);

      await rename(fold, `${fold}.away`);
      await settles(t, () => note(page), /^The files cannot be read: ERR_.* Looking again\.$/);
      await settles(t, () => state(page), 'live');
      await rename(`${fold}.away`, fold);
      await settles(t, () => note(page), 'fold_0: stopped');

      await served.close();
      await settles(t, () => state(page), 'ended');
      await settles(t, () => epochs(page), /^Epoch 1: /);
    },
    {},
    lost,
  );
});

browserTest('a page whose server was replaced says that it has ended', async (t) => {
  const { model } = await training(t, 1);
  const [first, second] = [await watch({ paths: [model] }), await watch({ paths: [model] })];
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const between = await tunnel(t, first.port);
  await withWindow(
    t,
    first.url.replace(`:${first.port}/`, `:${between.port}/`),
    async (page) => {
      await settles(t, () => state(page), 'live');
      between.cut();
      await settles(t, () => state(page), 'reconnecting');
      between.mend(second.port);
      await settles(t, () => state(page), 'ended');
      t.regex(await note(page), /Another server listens here now/);
    },
    {},
    (problem) => lost(problem) || / 403 /.test(problem),
  );
});
