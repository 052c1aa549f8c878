import type { Layer, ViewCase } from '../generated/report.js';
import { colourOf } from '../pictures/colours.js';
import { checkbox, choice, h, show } from './dom.js';
import { type Plane, planes, position } from './geometry.js';
import { asCanvas, crosshair, hatched, marks } from './overlay.js';
import { channelOf, indexOf, type Loaded, type Look, paint, valueAt, voxelAt, windowOf } from './slice.js';

/** Windows of computed tomography in Hounsfield units. */
const PRESETS: readonly [string, number, number][] = [
  ['whole range', Number.NaN, Number.NaN],
  ['soft tissue', -160, 240],
  ['lung', -1350, 150],
  ['bone', -450, 1050],
  ['brain', 0, 80],
  ['liver', -45, 105],
];

/** Channels that are named where many are left out. */
const NAMED = 8;

const ROLES = ['image', 'reference', 'prediction', 'difference', 'weightmap'] as const;

/** What the reader chose in a case, for the same case with newer data. */
export interface Kept {
  look: Look;
  voxel: [number, number, number];
  neurological: boolean;
}

/** How a case was thinned, for readers; empty if it was not. */
function thinning({ step }: ViewCase): string {
  if (step.every((voxels) => voxels === 1)) return '';
  return `Thinned to fit the size limit: a drawn voxel stands for ${step.join(' × ')} voxels (z, y, x) of the image.`;
}

/** Channels that the page lacks, for readers; empty if there is none. */
function lacking({ leftOut }: ViewCase): string {
  if (leftOut.length === 0) return '';
  const names = leftOut.slice(0, NAMED).join(', ');
  const more = leftOut.length > NAMED ? ` and ${leftOut.length - NAMED} more` : '';
  return `Left out to fit the size limit: ${leftOut.length === 1 ? 'channel' : 'channels'} ${names}${more}.`;
}

/** The open case: three linked planes and their controls. */
export class CaseView {
  readonly #view: ViewCase;
  readonly #layers: readonly Loaded[];
  readonly #look: Look;
  readonly #readout = h('p', { class: 'readout', 'aria-live': 'polite' });
  readonly #panels: { canvas: HTMLCanvasElement; slider: HTMLInputElement; title: HTMLElement }[] = [];
  readonly #bounds: [HTMLInputElement, HTMLInputElement];
  readonly #presets = choice(
    'Preset',
    PRESETS.map(([name]) => name),
    (index) => {
      const [, low = Number.NaN, high = Number.NaN] = PRESETS[index] ?? [];
      this.#setWindow(Number.isNaN(low) ? [...(this.channel?.window ?? [0, 1])] : [low, high]);
    },
  );
  #voxel: [number, number, number];
  #planes: Plane[];
  #neurological: boolean;

  /** Shows a case in `holder`, at first the channel of this name if there is one. */
  constructor(
    holder: HTMLElement,
    view: ViewCase,
    layers: readonly Loaded[],
    channel: string | undefined,
    kept: Kept | undefined,
  ) {
    this.#view = view;
    this.#layers = layers;
    this.#neurological = kept?.neurological ?? false;
    this.#planes = planes(view, this.#neurological);
    const [z, y, x] =
      kept?.voxel ?? view.largestError ?? (view.shape.map((n) => n >> 1) as [number, number, number]);
    const inside = (at: number, axis: number) => Math.min(at, (view.shape[axis] ?? 1) - 1);
    this.#voxel = [inside(z, 0), inside(y, 1), inside(x, 2)];
    this.#look = kept?.look ?? {
      channel,
      windows: new Map(),
      opacity: 0.5,
      shown: new Set(['image', 'reference', 'prediction']),
      hidden: new Set(),
    };
    this.#bounds = [0, 1].map((at) => {
      const input = h('input', {
        type: 'number',
        step: 'any',
        'aria-label': at === 0 ? 'window from' : 'window to',
      });
      input.addEventListener('change', () => {
        const window = this.#window;
        if (Number.isFinite(input.valueAsNumber)) window[at] = input.valueAsNumber;
        this.#setWindow(window);
      });
      return input;
    }) as [HTMLInputElement, HTMLInputElement];
    const panels = [0, 1, 2].map((at) => this.#panel(at));
    const hint =
      'Click to move the crosshair; drag to change the window; wheel, Page Up and Page Down change the slice; ' +
      'arrow keys move the crosshair.';
    holder.replaceChildren(
      this.#controls(),
      ...[
        ['thinned', thinning(view)],
        ['left-out', lacking(view)],
      ].flatMap(([name = '', text = '']) => (text === '' ? [] : [h('p', { class: name }, text)])),
      h('div', { class: 'planes' }, ...panels),
      this.#readout,
      h('p', { class: 'hint' }, hint),
    );
    new ResizeObserver(() => this.draw()).observe(holder);
    this.draw();
  }

  /** What the reader chose. */
  kept(): Kept {
    return { look: this.#look, voxel: this.#voxel, neurological: this.#neurological };
  }

  /** The channel that is drawn. */
  get channel(): Layer | undefined {
    return channelOf(this.#layers, this.#look)?.layer;
  }

  /** Values that the channel draws black and white. */
  get #window(): [number, number] {
    const { channel } = this;
    return channel === undefined ? [0, 1] : windowOf(channel, this.#look);
  }

  #setWindow(window: [number, number]): void {
    const { channel } = this;
    if (channel !== undefined) this.#look.windows.set(channel.name, window);
    this.draw();
  }

  #controls(): HTMLElement {
    const has = (role: Layer['role']) => this.#layers.some(({ layer }) => layer.role === role);
    const roles = ROLES.filter((role) =>
      role === 'difference' ? has('reference') && has('prediction') : has(role),
    );
    const opacity = h('input', { type: 'range', min: '0', max: '1', step: '0.05' });
    opacity.value = String(this.#look.opacity);
    opacity.addEventListener('input', () => {
      this.#look.opacity = Number(opacity.value);
      this.draw();
    });
    const names = this.#layers.flatMap(({ layer }) => (layer.role === 'image' ? [layer.name] : []));
    const channels = choice('Channel', names, (index) => {
      this.#look.channel = names[index];
      this.draw();
    });
    channels.select.selectedIndex = names.indexOf(this.channel?.name ?? '');
    const sides = choice('View', ['radiological', 'neurological'], (index) => {
      this.#neurological = index === 1;
      this.#planes = planes(this.#view, this.#neurological);
      this.draw();
    });
    sides.select.selectedIndex = Number(this.#neurological);
    const jump = h('button', { type: 'button', onclick: () => this.#jump() }, 'Largest error');
    const swatches = this.#view.labels.flatMap(({ value, name }) => {
      if (value === 0) return [];
      const box = checkbox(name, !this.#look.hidden.has(value), (on) => {
        this.#look.hidden[on ? 'delete' : 'add'](value);
        this.draw();
      });
      const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = colourOf(value);
      box.prepend(swatch);
      return [box];
    });
    return h(
      'div',
      { class: 'controls' },
      ...(names.length > 1 ? [channels.label] : []),
      ...roles.map((role) =>
        checkbox(role, this.#look.shown.has(role), (on) => {
          this.#look.shown[on ? 'add' : 'delete'](role);
          this.draw();
        }),
      ),
      h('label', {}, 'Opacity ', opacity),
      h('span', {}, 'Window ', this.#bounds[0], ' to ', this.#bounds[1]),
      this.#presets.label,
      sides.label,
      ...(this.#view.largestError === null ? [] : [jump]),
      ...swatches,
    );
  }

  #jump(): void {
    if (this.#view.largestError === null) return;
    this.#voxel = [...this.#view.largestError];
    this.draw();
  }

  #panel(at: number): HTMLElement {
    const canvas = h('canvas', { tabindex: '0', role: 'img' });
    const slider = h('input', { type: 'range', min: '0', step: '1' });
    const title = h('span');
    this.#panels.push({ canvas, slider, title });
    slider.addEventListener('input', () => {
      const plane = this.#planes[at];
      if (plane) this.#moveTo(plane.through, slider.valueAsNumber);
    });
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const plane = this.#planes[at];
        if (plane) this.#moveBy(plane.through, Math.sign(event.deltaY));
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => this.#key(at, event));
    this.#drag(at, canvas);
    return h('div', { class: 'plane' }, h('label', {}, title, slider), canvas);
  }

  #key(at: number, event: KeyboardEvent): void {
    const plane = this.#planes[at];
    if (plane === undefined) return;
    const along = (side: Plane['across'], step: number): [number, number] => [
      side.axis,
      side.flipped ? -step : step,
    ];
    const moves: Record<string, [number, number]> = {
      PageUp: [plane.through, 1],
      PageDown: [plane.through, -1],
      ArrowLeft: along(plane.across, -1),
      ArrowRight: along(plane.across, 1),
      ArrowUp: along(plane.down, -1),
      ArrowDown: along(plane.down, 1),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.#moveBy(...move);
  }

  /** A click moves the crosshair. A drag changes the window: across its width, down its level. */
  #drag(at: number, canvas: HTMLCanvasElement): void {
    let start: { x: number; y: number; window: [number, number]; moved: boolean } | null = null;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, window: this.#window, moved: false };
    });
    canvas.addEventListener('pointermove', (event) => {
      if (start === null) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (Math.hypot(dx, dy) > 3) start.moved = true;
      if (!start.moved) return;
      const [low, high] = start.window;
      const size = high - low || 1;
      const wide = size * Math.exp(dx / 150);
      const level = (low + high) / 2 + (size * dy) / 200;
      this.#setWindow([level - wide / 2, level + wide / 2]);
    });
    canvas.addEventListener('pointerup', (event) => {
      const plane = this.#planes[at];
      if (start !== null && !start.moved && plane) this.#click(plane, canvas, event);
      start = null;
    });
  }

  #click(plane: Plane, canvas: HTMLCanvasElement, event: PointerEvent): void {
    const box = canvas.getBoundingClientRect();
    const cell = (share: number, axis: number) => {
      const length = this.#view.shape[axis] ?? 1;
      return Math.max(0, Math.min(length - 1, Math.floor(share * length)));
    };
    const column = cell((event.clientX - box.left) / box.width, plane.across.axis);
    const row = cell((event.clientY - box.top) / box.height, plane.down.axis);
    this.#voxel = voxelAt(this.#view, plane, this.#voxel[plane.through] ?? 0, column, row);
    this.draw();
  }

  #moveBy(axis: number, step: number): void {
    this.#moveTo(axis, (this.#voxel[axis] ?? 0) + step);
  }

  #moveTo(axis: number, index: number): void {
    this.#voxel[axis] = Math.max(0, Math.min((this.#view.shape[axis] ?? 1) - 1, index));
    this.draw();
  }

  /** Draws everything again. */
  draw(): void {
    this.#planes.forEach((plane, at) => {
      this.#drawPlane(plane, at);
    });
    const window = this.#window;
    this.#bounds.forEach((input, at) => {
      input.value = String(Number((window[at] ?? 0).toPrecision(4)));
    });
    const { channel } = this;
    this.#presets.label.hidden = channel?.ct !== true;
    // None where the window was chosen by hand.
    this.#presets.select.selectedIndex = PRESETS.findIndex(([, ...preset]) => {
      const bounds = Number.isNaN(preset[0]) ? channel?.window : preset;
      return bounds?.every((bound, at) => bound === window[at]);
    });
    const index = indexOf(this.#view, this.#voxel);
    const [x = 0, y = 0, z = 0] = position(this.#view, this.#voxel);
    const file = this.#voxel.map(
      (at, axis) => (this.#view.offset[axis] ?? 0) + at * (this.#view.step[axis] ?? 1),
    );
    const values = this.#layers.map((loaded) => {
      const value = valueAt(loaded, index);
      return `${loaded.layer.name} ${value === null ? 'unlabelled' : show(value)}`;
    });
    const mm = [side(x, 'L', 'R'), side(y, 'P', 'A'), side(z, 'S', 'I')].join(' ');
    this.#readout.textContent = `Voxel (z, y, x) ${file.join(', ')}; ${mm} mm; ${values.join('; ')}`;
  }

  #drawPlane(plane: Plane, at: number): void {
    const panel = this.#panels[at];
    const context = panel?.canvas.getContext('2d');
    if (!panel || !context) return;
    const { canvas, slider, title } = panel;
    const slice = this.#voxel[plane.through] ?? 0;
    const count = this.#view.shape[plane.through] ?? 1;
    const of = (values: readonly number[], axis: number) => values[axis] ?? 1;
    const [across, down] = [plane.across.axis, plane.down.axis];
    const wide = of(this.#view.shape, across) * of(this.#view.spacing, across);
    const tall = of(this.#view.shape, down) * of(this.#view.spacing, down);
    const room = canvas.parentElement?.clientWidth ?? 300;
    const scale = Math.min(room / wide, 380 / tall);
    const dense = globalThis.devicePixelRatio || 1;
    canvas.style.width = `${wide * scale}px`;
    canvas.style.height = `${tall * scale}px`;
    canvas.width = Math.max(1, Math.round(wide * scale * dense));
    canvas.height = Math.max(1, Math.round(tall * scale * dense));
    const { pixels, mask } = paint(this.#view, this.#layers, plane, slice, this.#look);
    context.imageSmoothingEnabled = false;
    context.drawImage(asCanvas(pixels), 0, 0, canvas.width, canvas.height);
    context.drawImage(hatched(mask, canvas.width, canvas.height), 0, 0);
    crosshair(context, this.#view, plane, this.#voxel);
    marks(context, plane, dense);
    slider.max = String(count - 1);
    slider.value = String(slice);
    const place = of(this.#view.offset, plane.through) + slice * of(this.#view.step, plane.through);
    title.textContent = `${plane.name}, slice ${place + 1} of ${of(this.#view.full, plane.through)} `;
    const several = this.#layers.filter(({ layer }) => layer.role === 'image').length > 1;
    const name = several ? `${this.#view.name}, ${this.channel?.name}` : this.#view.name;
    const [left, right] = plane.across.marks;
    const [top, bottom] = plane.down.marks;
    const sides = `left ${left}, right ${right}, top ${top}, bottom ${bottom}`;
    canvas.setAttribute('aria-label', `${name}, ${title.textContent.trim()}, ${sides}`);
  }
}

function side(value: number, positive: string, negative: string): string {
  return `${value < 0 ? negative : positive} ${Math.abs(value).toFixed(1)}`;
}
