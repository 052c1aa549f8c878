import type { ViewCase } from '../generated/report.js';
import { readBlob } from './blobs.js';
import { CaseView, type Kept } from './case-view.js';
import { choice, h, show } from './dom.js';
import type { View } from './parts.js';

/**
 * A viewer of the cases, the first one open. When the data change, the open case stays open, as it was looked
 * at.
 */
export function viewer(first: readonly ViewCase[]): View<readonly ViewCase[]> {
  let cases = first;
  const holder = h('div');
  let opened = 0;
  /** The case that is shown or being unpacked, and what shows it. */
  let current: { view: ViewCase; shown?: CaseView } | undefined;
  /** Channel that the reader looked at, for the next case. */
  let channel: string | undefined;
  const open = async (view: ViewCase | undefined, kept?: Kept) => {
    if (view === undefined) return;
    opened += 1;
    channel = current?.shown?.channel?.name ?? channel;
    const mine = opened;
    current = { view };
    if (kept === undefined) holder.replaceChildren(h('p', { role: 'status' }, `Unpacking ${view.name} …`));
    try {
      const bytes = await Promise.all(view.layers.map(({ blob }) => readBlob(blob)));
      const layers = view.layers.map((layer, at) => ({ layer, bytes: bytes[at] ?? new Uint8Array() }));
      // Another case may have been chosen meanwhile.
      if (mine === opened) current.shown = new CaseView(holder, view, layers, channel, kept);
    } catch (error) {
      if (mine !== opened) return;
      holder.replaceChildren(h('p', { role: 'alert' }, `${view.name} cannot be shown: ${String(error)}`));
    }
  };
  const { label, select } = choice('Case', [], (index) => void open(cases[index]));
  const list = () => {
    const names = cases.map(({ name, score }) => (score === null ? name : `${name} (${show(score)})`));
    select.replaceChildren(...names.map((name, index) => h('option', { value: String(index) }, name)));
  };
  list();
  // Arrays are unpacked when the viewer comes into sight.
  const sight = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    sight.disconnect();
    void open(cases[0]);
  });
  const element = h('div', { class: 'viewer' }, h('div', { class: 'controls' }, label), holder);
  sight.observe(element);
  return {
    element,
    update(next) {
      cases = next;
      list();
      if (current === undefined) return;
      const { view, shown } = current;
      const index = cases.findIndex(({ name }) => name === view.name);
      const found = cases[index];
      if (found === undefined) return void open(cases[0]);
      select.selectedIndex = index;
      if (JSON.stringify(found) !== JSON.stringify(view)) void open(found, shown?.kept());
    },
  };
}
