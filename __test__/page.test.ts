import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ExecutionContext } from 'ava';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { colourOf, heat, parseColour } from '../ts/pictures/colours.js';
import { browserTest, pixel, pixels, type Screen, settles, textOf, withWindow } from './browser.js';
import { workspace } from './made-up.js';
import { axisOf, HEADERS, SCREEN } from './made-up-headers.js';
import { changed, grey, madeUpPage, REPORT, run, SHAPE, second, view, weight } from './made-up-report.js';

/** Opens the made-up page with its viewer in sight. */
async function withPage(
  t: ExecutionContext,
  use: (page: Page) => Promise<void>,
  screen: Screen = {},
  report = REPORT,
): Promise<void> {
  const { root } = await workspace(t);
  const file = join(root, 'report.html');
  await writeFile(file, await madeUpPage(report));
  const ready = async (page: Page) => {
    await page.waitForSelector('.uplot canvas');
    await page.locator('.viewer').scrollIntoViewIfNeeded();
    await page.waitForSelector('.plane canvas');
    await use(page);
  };
  await withWindow(t, pathToFileURL(file).href, ready, screen);
}

/** Colour of a voxel of a plane that shows `columns` times `rows` voxels. */
function cell(page: Page, plane: number, [column = 0, columns = 1]: number[], [row = 0, rows = 1]: number[]) {
  return pixel(page, plane, (column + 0.5) / columns, (row + 0.5) / rows);
}

/** Axial slices of the made-up cases show x across and y down. */
const axial = (page: Page, y: number, x: number) => cell(page, 0, [x, SHAPE[2]], [y, SHAPE[1]]);
const readout = (page: Page) => textOf(page.locator('.viewer .readout'));
const shade = (z: number, y: number, x: number): number[] => Array(3).fill(grey(z, y, x));

browserTest(
  'the worst case opens first, at its largest error; planes show the voxels of the array',
  async (t) => {
    await withPage(t, async (page) => {
      t.regex(await textOf(page.locator('.viewer select').first().locator('option').first()), /^worst /);
      // The crop begins at voxel (1, 2, 3) of the file.
      await settles(
        t,
        () => readout(page),
        /^Voxel \(z, y, x\) 3, 12, 9; R 4\.0 P 15\.0 S 13\.0 mm; image 106; /,
      );
      // Axial: left is the patient's right, which is low x; anterior is up, which is low y.
      await settles(t, () => axial(page, 17, 25), shade(2, 17, 25));
      // Coronal: superior is up, which is high z.
      await settles(t, () => cell(page, 1, [25, 30], [1, 6]), shade(4, 10, 25));
      // Sagittal: anterior is left.
      await settles(t, () => cell(page, 2, [17, 20], [5, 6]), shade(0, 17, 6));
      await page.getByLabel('View').selectOption({ label: 'neurological' });
      await settles(t, () => axial(page, 17, 4), shade(2, 17, 25));
      const name = page.locator('.plane canvas').first();
      t.regex((await name.getAttribute('aria-label')) ?? '', /left L, right R, top A, bottom P$/);
    });
  },
);

browserTest('wheel and keys move the slice and the crosshair', async (t) => {
  await withPage(t, async (page) => {
    const canvas = page.locator('.plane canvas').first();
    await canvas.hover();
    await page.mouse.wheel(0, 100);
    await settles(t, () => readout(page), /Voxel \(z, y, x\) 4, 12, 9;/);
    await settles(t, () => axial(page, 17, 25), shade(3, 17, 25));
    await canvas.focus();
    for (const key of ['PageDown', 'PageDown', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    await settles(t, () => readout(page), /Voxel \(z, y, x\) 2, 13, 10;/);
    await settles(t, () => axial(page, 17, 25), shade(1, 17, 25));
    await page.getByRole('button', { name: 'Largest error' }).click();
    await settles(t, () => readout(page), /Voxel \(z, y, x\) 3, 12, 9;/);
  });
});

browserTest('window, preset and layers change the pixels', async (t) => {
  await withPage(t, async (page) => {
    const canvas = page.locator('.plane canvas').first();
    await settles(t, () => axial(page, 17, 25), shade(2, 17, 25));
    await canvas.hover({ position: { x: 40, y: 40 } });
    const box = await canvas.boundingBox();
    if (box === null) return t.fail('the plane has no box');
    await page.mouse.down();
    await page.mouse.move(box.x + 40, box.y + 100);
    await page.mouse.up();
    const darker = (colour: number[]) => (colour[0] ?? 0) < grey(2, 17, 25);
    await settles(t, () => axial(page, 17, 25), darker, 'a higher level is darker');
    t.regex(await readout(page), /Voxel \(z, y, x\) 3, 12, 9;/, 'a drag leaves the crosshair');
    await page.getByLabel('Preset').selectOption({ label: 'brain' });
    await settles(t, () => axial(page, 17, 25), [255, 255, 255]);
    // A voxel that only the prediction has.
    await page.getByLabel('prediction', { exact: true }).uncheck();
    await settles(t, () => axial(page, 8, 15), [255, 255, 255]);
    await page.getByLabel('difference', { exact: true }).check();
    await settles(
      t,
      () => axial(page, 8, 15),
      (colour) => colour.join() !== '255,255,255',
    );
  });
});

browserTest('another channel is drawn with the values of its array and a window of its own', async (t) => {
  await withPage(t, async (page) => {
    const channel = page.getByLabel('Channel');
    t.deepEqual(await channel.locator('option').allTextContents(), ['image', 'T2']);
    const other = (z: number, y: number, x: number) => Array(3).fill(second(z, y, x));
    await settles(t, () => axial(page, 17, 25), shade(2, 17, 25));
    t.true(await page.getByLabel('Preset').isVisible());
    await channel.selectOption({ label: 'T2' });
    await settles(t, () => axial(page, 17, 25), other(2, 17, 25));
    await settles(t, () => cell(page, 1, [25, 30], [1, 6]), other(4, 10, 25));
    await settles(t, () => cell(page, 2, [17, 20], [5, 6]), other(0, 17, 6));
    t.false(await page.getByLabel('Preset').isVisible(), 'T2 is no CT');
    // The value of every channel, in the units of the file.
    const value = 100 + 2 * second(2, 10, 6);
    t.regex(await readout(page), new RegExp(`; image 106; T2 ${value}; reference `));
    t.regex(
      (await page.locator('.plane canvas').first().getAttribute('aria-label')) ?? '',
      /^worst, T2, axial/,
    );
    const bounds = () =>
      Promise.all(['from', 'to'].map((end) => page.getByLabel(`window ${end}`).inputValue()));
    t.deepEqual(await bounds(), ['100', '610']);
    await page.getByLabel('window to').fill('100.5');
    await page.keyboard.press('Enter');
    await settles(t, () => axial(page, 17, 25), [255, 255, 255]);
    await channel.selectOption({ label: 'image' });
    await settles(t, () => axial(page, 17, 25), shade(2, 17, 25));
    t.deepEqual(await bounds(), ['0', '255']);
    await channel.selectOption({ label: 'T2' });
    await settles(t, () => axial(page, 17, 25), [255, 255, 255], 'a channel keeps its window');
    // The next case opens in the same channel, with the window of its own data.
    await page.locator('.viewer select').first().selectOption({ index: 1 });
    const title = () => page.locator('.plane canvas').first().getAttribute('aria-label');
    await settles(t, title, /^best, T2, axial/);
    await settles(t, () => axial(page, 17, 25), other(2, 17, 25));
    t.is(await channel.inputValue(), '1');
  });
});

browserTest('the keyboard reaches and changes the channel', async (t) => {
  await withPage(t, async (page) => {
    await page.locator('.viewer select').first().focus();
    await page.keyboard.press('Tab');
    const focused = () =>
      page.evaluate('document.activeElement.labels[0].textContent.trim()') as Promise<string>;
    t.regex(await focused(), /^Channel/);
    await page.keyboard.press('ArrowDown');
    await settles(t, () => axial(page, 17, 25), Array(3).fill(second(2, 17, 25)));
    await page.keyboard.press('ArrowUp');
    await settles(t, () => axial(page, 17, 25), shade(2, 17, 25));
  });
});

browserTest('channels that did not fit are named, and one channel needs no choice', async (t) => {
  const whole = view('lacking', 0.4);
  const layers = whole.layers.filter(({ name }) => name !== 'T2');
  const many = Array.from({ length: 10 }, (_, at) => `volume ${at}`);
  const cases = [
    { ...whole, layers, leftOut: ['T2', 'FLAIR'] },
    { ...view('many', 0.5), layers, leftOut: many },
  ];
  await withPage(
    t,
    async (page) => {
      t.is(
        await textOf(page.getByRole('heading', { name: /^Images/ })),
        'Images (2 cases, 2 without some channels, 0.0 MB)',
      );
      const text = () => textOf(page.locator('.left-out'));
      await settles(t, text, 'Left out to fit the size limit: channels T2, FLAIR.');
      t.is(await page.getByLabel('Channel').count(), 0);
      t.is(await page.locator('.thinned').count(), 0);
      await page.locator('.viewer select').first().selectOption({ index: 1 });
      await settles(t, text, /: channels volume 0, .*, volume 7 and 2 more\.$/);
    },
    {},
    changed({ cases }),
  );
});

browserTest(
  'labels have the colours of the pictures, mixed by the opacity; weights have the colour map',
  async (t) => {
    await withPage(t, async (page) => {
      const opacity = page.getByLabel('Opacity');
      const mixed =
        (colour: readonly number[], z: number, y: number, x: number, share: number) => (found: number[]) =>
          colour.every(
            (part, c) => Math.abs(part * share + grey(z, y, x) * (1 - share) - (found[c] ?? 0)) <= 1,
          );
      await page.getByLabel('prediction', { exact: true }).uncheck();
      // Voxels of labels 1 and 2 in the reference.
      for (const share of [0.5, 1, 0]) {
        await opacity.fill(String(share));
        await settles(
          t,
          () => axial(page, 7, 8),
          mixed(parseColour(colourOf(1)), 2, 7, 8, share),
          `${share}`,
        );
        await settles(
          t,
          () => axial(page, 7, 12),
          mixed(parseColour(colourOf(2)), 2, 7, 12, share),
          `${share}`,
        );
      }
      await opacity.fill('0.8');
      await page.getByLabel('weightmap', { exact: true }).check();
      for (const x of [0, 20, 29]) {
        const colour = heat(weight(2, 17, x) / 255);
        await settles(t, () => axial(page, 17, x), mixed(colour, 2, 17, x, 0.8), `weight at ${x}`);
      }
      await page.getByLabel('weightmap', { exact: true }).uncheck();
      await settles(t, () => axial(page, 17, 20), shade(2, 17, 20));
    });
  },
);

browserTest('unlabelled voxels are hatched, and no others', async (t) => {
  await withPage(t, async (page) => {
    /** Pixels of a row of voxels that have another colour than their voxel, in the middle of the voxels. */
    const others = async (y: number) => {
      let count = 0;
      for (let x = 18; x < 29; x += 1) {
        const inside = [(x + 0.2) / 30, (y + 0.2) / 20, (x + 0.8) / 30, (y + 0.8) / 20] as const;
        const found = await pixels(page, 0, inside);
        count += found.filter((colour) => colour.join() !== shade(2, y, x).join()).length;
      }
      return count;
    };
    // Away from the letters at the edges and from the crosshair; rows 0 to 2 are unlabelled.
    await settles(
      t,
      () => others(1),
      (count) => count > 20,
      'hatched',
    );
    await settles(t, () => others(3), 0, 'labelled');
    await page.getByLabel('reference', { exact: true }).uncheck();
    await settles(t, () => others(1), 0, 'without the reference');
  });
});

const OBLIQUE_LETTERS = [
  'left R, right L, top AS, bottom PI',
  'left R, right L, top SP, bottom IA',
  'left AS, right PI, top SP, bottom IA',
];

for (const [header, rows] of Object.entries(HEADERS)) {
  browserTest(
    `${header}: every plane shows the right voxels, and the letters of the patient's sides`,
    async (t) => {
      const affine = rows.flatMap((row, at) => [...row, [-15, -10, -8][at] ?? 0]);
      const shown = {
        ...view('turned', 0.5),
        affine: [...affine, 0, 0, 0, 1] as unknown as ReturnType<typeof view>['affine'],
        layers: view('turned', 0.5).layers.filter(({ role }) => role === 'image'),
      };
      await withPage(
        t,
        async (page) => {
          for (const [at, { plane, right, down, letters }] of SCREEN.entries()) {
            const [across, along] = [axisOf(rows, SHAPE, right), axisOf(rows, SHAPE, down)];
            // The crosshair is at the largest error; these voxels are away from it and from the letters.
            for (const [column, row] of [
              [0.25, 0.25],
              [0.75, 0.25],
              [0.25, 0.75],
              [0.75, 0.75],
            ] as const) {
              const voxel: [number, number, number] = [2, 10, 6];
              for (const [{ axis, forward, length }, share] of [
                [across, column],
                [along, row],
              ] as const) {
                const place = Math.floor(share * length);
                voxel[axis] = forward ? place : length - 1 - place;
              }
              const centre = (length: number, share: number) => [Math.floor(share * length), length];
              const read = () => cell(page, at, centre(across.length, column), centre(along.length, row));
              await settles(t, read, shade(...voxel), `${plane} at ${column}, ${row}`);
            }
            const canvas = page.locator('.plane canvas').nth(at);
            const expected = header === 'oblique' ? OBLIQUE_LETTERS[at] : letters;
            const label = (await canvas.getAttribute('aria-label')) ?? '';
            t.true(label.endsWith(expected ?? ''), `${label}; expected ${expected}`);
            t.regex(label, new RegExp(plane));
            // Letters are white; no voxel is.
            for (const edge of [
              [0, 0.4, 0.1, 0.6],
              [0.9, 0.4, 1, 0.6],
              [0.4, 0, 0.6, 0.15],
              [0.4, 0.85, 0.6, 1],
            ]) {
              const found = await pixels(page, at, edge as [number, number, number, number]);
              t.true(
                found.some((colour) => colour.join() === '255,255,255'),
                `${plane}: letter at ${edge}`,
              );
            }
          }
        },
        {},
        changed({ cases: [shown] }),
      );
    },
  );
}

browserTest('a thinned case says so, and the readout has the voxels of the image', async (t) => {
  const thinned = { ...view('thinned', 0.4), step: [1, 2, 2] as const };
  await withPage(
    t,
    async (page) => {
      t.is(
        await textOf(page.getByRole('heading', { name: /^Images/ })),
        'Images (2 cases, 1 of them thinned, 0.0 MB)',
      );
      t.regex(await textOf(page.locator('.thinned')), /stands for 1 × 2 × 2 voxels \(z, y, x\)/);
      await settles(t, () => readout(page), /Voxel \(z, y, x\) 3, 22, 15;/);
      await page.locator('.viewer select').first().selectOption({ index: 1 });
      await settles(t, () => page.locator('.thinned').count(), 0);
    },
    {},
    changed({ cases: [thinned, view('best', 0.9)] }),
  );
});

browserTest('ticks of epochs are whole numbers', async (t) => {
  // Texts on canvases are recorded.
  const before = `
    globalThis.drawnTexts = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
      if (this.canvas.closest?.('.chart') === document.querySelector('.chart')) drawnTexts.push([text, this.textBaseline]);
      return fillText.call(this, text, ...rest);
    };`;
  await withPage(
    t,
    async (page) => {
      // Labels of the axis below have their baseline at the top.
      const read = `[...new Set(drawnTexts.filter(([, baseline]) => baseline === 'top').map(([text]) => text))]`;
      const ticks = () => page.evaluate(read) as Promise<string[]>;
      await settles(t, ticks, (found) => ['0', '1', '2'].every((text) => found.includes(text)));
      t.deepEqual(
        (await ticks()).filter((text) => /\d/.test(text) && !/^\d+$/.test(text)),
        [],
      );
    },
    { before },
    changed({ runs: [run('fold_0', 0.2, [0, 1, 2])] }),
  );
});

browserTest(
  'hover and keys read the values of an epoch; smoothing and toggles draw other curves',
  async (t) => {
    await withPage(t, async (page) => {
      const chart = page.locator('.chart').first();
      const text = () => textOf(page.locator('.charts .readout').first());
      const picture = () => page.evaluate('document.querySelector(".uplot canvas").toDataURL()');
      await chart.focus();
      await page.keyboard.press('ArrowRight');
      await settles(t, text, 'Epoch 0: fold_0 Training loss 1, fold_1 Training loss 1');
      await page.keyboard.press('ArrowRight');
      await settles(t, text, 'Epoch 1: fold_0 Training loss 0.8333, fold_1 Training loss 0.9091');
      const over = chart.locator('.u-over');
      await over.hover();
      const box = await over.boundingBox();
      if (box === null) return t.fail('the chart has no box');
      await page.mouse.move(box.x + (box.width * 20) / 39, box.y + 50);
      await settles(t, text, 'Epoch 20: fold_0 Training loss 0.2, fold_1 Training loss 0.3333');
      const before = await picture();
      await page.getByLabel('Smoothing').fill('0.9');
      const smoothed = await settles(t, picture, (found) => found !== before);
      await page.getByLabel('fold_1').uncheck();
      await settles(t, picture, (found) => found !== smoothed);
      await page.getByLabel('Logarithmic epochs').check();
      for (const name of ['grey matter', 'white matter']) await page.getByLabel(name).first().uncheck();
      await settles(t, () => page.locator('.uplot').count(), 1);
    });
  },
);

browserTest('curves of classes have the colours of the pictures', async (t) => {
  await withPage(t, async (page) => {
    const legend = page.locator('.legend').nth(1).locator('li');
    const names = ['fold_0 grey matter', 'fold_0 white matter', 'fold_1 grey matter', 'fold_1 white matter'];
    t.deepEqual(await legend.allTextContents(), names);
    const read = `[...document.querySelectorAll('.legend')[1].querySelectorAll('.line')].map((line) => getComputedStyle(line).borderTopColor)`;
    const colours = [1, 2, 1, 2].map((label) => `rgb(${parseColour(colourOf(label)).join(', ')})`);
    t.deepEqual(await page.evaluate(read), colours);
  });
});

browserTest('a heading sorts its table, by keyboard too', async (t) => {
  await withPage(t, async (page) => {
    const table = page.getByRole('region', { name: 'Cases, worst first' });
    const first = () => textOf(table.locator('tbody tr').first());
    await settles(t, first, /^worst/);
    await table.getByRole('button', { name: 'Case' }).focus();
    await page.keyboard.press('Enter');
    await settles(t, first, /^best/);
    await page.keyboard.press('Enter');
    await settles(t, first, /^worst/);
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
        const width = () => page.evaluate('document.documentElement.scrollWidth') as Promise<number>;
        await settles(t, width, (found) => found <= screen.width);
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

browserTest('long names of cases and channels do not widen the page', async (t) => {
  const long = (name: string) => `${name} ${'of a patient with a long name '.repeat(4)}${'x'.repeat(60)}`;
  const whole = view(long('case'), 0.4);
  const layers = whole.layers.map((layer) => ({ ...layer, name: long(layer.name) }));
  await withPage(
    t,
    async (page) => {
      const width = () => page.evaluate('document.documentElement.scrollWidth') as Promise<number>;
      await settles(t, width, (found) => found <= 390);
    },
    { width: 390 },
    changed({ cases: [{ ...whole, layers, leftOut: [long('T3')] }] }),
  );
});

browserTest('print has no controls', async (t) => {
  await withPage(t, async (page) => {
    await page.emulateMedia({ media: 'print' });
    await settles(t, () => page.locator('.controls:visible').count(), 0);
    await settles(t, () => page.locator('.plane canvas:visible').count(), 3);
    t.true((await page.pdf()).length > 10_000);
  });
});
