/** A page as a list of parts, of which only those whose data changed are changed. */

/** What shows data, and how it shows later ones. */
export interface View<D> {
  readonly element: HTMLElement;
  update(data: D): void;
}

/** A part of a page: its data, and how they are shown. */
export interface Part {
  /** Tells the parts of a list apart. */
  readonly key: string;
  /** The data as text, to compare. */
  readonly json: string;
  make(): View<unknown>;
  readonly data: unknown;
}

/** A part with a view of its own, which keeps what the reader chose. */
export function part<D>(key: string, data: D, make: (data: D) => View<D>): Part {
  // A key belongs to one type of data, so that a view gets what it is made for.
  return { key, json: JSON.stringify(data), data, make: () => make(data) as View<unknown> };
}

/** A part that is made anew when its data change. */
export function still<D>(key: string, data: D, make: (data: D) => HTMLElement): Part {
  return part<D>(key, data, (first) => {
    let element = make(first);
    return {
      get element() {
        return element;
      },
      update(next) {
        const made = make(next);
        element.replaceWith(made);
        element = made;
      },
    };
  });
}

/** Shows lists of parts in an element, each in place of the one before. */
export class Parts {
  readonly element: HTMLElement;
  #shown = new Map<string, { json: string; view: View<unknown> }>();

  constructor(element: HTMLElement) {
    this.element = element;
  }

  /** Changes what differs. Elements that stay are not moved, so that they keep focus and scroll position. */
  show(parts: readonly Part[]): void {
    const next = new Map<string, { json: string; view: View<unknown> }>();
    for (const { key, json, data, make } of parts) {
      const old = this.#shown.get(key);
      if (old !== undefined && old.json !== json) old.view.update(data);
      next.set(key, { json, view: old?.view ?? make() });
    }
    for (const [key, { view }] of this.#shown) if (!next.has(key)) view.element.remove();
    let place = this.element.firstElementChild;
    for (const { view } of next.values()) {
      if (view.element === place) place = place.nextElementSibling;
      else this.element.insertBefore(view.element, place);
    }
    this.#shown = next;
  }
}
