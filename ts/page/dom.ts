/** What may stand in an element. */
export type Child = Node | string;

/** Makes an HTML element. A function is a listener of the event that its name says after `on`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean | ((event: Event) => void)>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** Makes an SVG element. */
export function svg(
  tag: string,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: Child[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

function set(
  element: HTMLElement,
  attributes: Readonly<Record<string, string | boolean | ((event: Event) => void)>>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (typeof value === 'string') element.setAttribute(name, value);
    else if (value) element.setAttribute(name, '');
  }
}

/** A labelled checkbox. */
export function checkbox(text: string, checked: boolean, change: (on: boolean) => void): HTMLLabelElement {
  const input = h('input', { type: 'checkbox' });
  input.checked = checked;
  input.addEventListener('change', () => change(input.checked));
  return h('label', {}, input, ` ${text}`);
}

/** A labelled choice. */
export function choice(
  text: string,
  options: readonly string[],
  change: (index: number) => void,
): { label: HTMLLabelElement; select: HTMLSelectElement } {
  const select = h('select');
  options.forEach((option, index) => {
    select.append(h('option', { value: String(index) }, option));
  });
  select.addEventListener('change', () => change(select.selectedIndex));
  return { label: h('label', {}, `${text} `, select), select };
}

/** A number for readers: at most four significant digits. */
export function show(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
