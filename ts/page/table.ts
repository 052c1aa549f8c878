import { h, show } from './dom.js';
import { type Part, part, type View } from './parts.js';

/** A cell: a number, a text, or nothing. */
export type Cell = number | string | null;

/** Column and direction that a table is sorted by. */
interface Order {
  column: number;
  down: boolean;
}

/** A table of a page: its caption tells it apart. */
export function tablePart(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): Part {
  // Other columns make another table.
  return part(`table ${caption} ${columns.join()}`, rows, (first) => sortableTable(caption, columns, first));
}

/** A table that a click on a heading sorts, also when its rows change. Cells without a value are always last. */
function sortableTable(
  caption: string,
  columns: readonly string[],
  given: readonly (readonly Cell[])[],
): View<readonly (readonly Cell[])[]> {
  let rows = given;
  const body = h('tbody');
  const headings = columns.map((name, column) => {
    const button = h('button', { type: 'button', onclick: () => sort(column) }, name);
    return h('th', { scope: 'col' }, button);
  });
  let order: Order | null = null;
  const fill = () => {
    const sorted = order === null ? [...rows] : [...rows].sort(comparison(order));
    body.replaceChildren(
      ...sorted.map((row) =>
        h(
          'tr',
          {},
          ...row.map((cell) => h('td', typeof cell === 'number' ? { class: 'n' } : {}, show(cell))),
        ),
      ),
    );
    headings.forEach((heading, column) => {
      const mine = order?.column === column ? order : null;
      heading.setAttribute('aria-sort', mine === null ? 'none' : mine.down ? 'descending' : 'ascending');
    });
  };
  const sort = (column: number) => {
    order = { column, down: order?.column === column && !order.down };
    fill();
  };
  fill();
  const table = h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, ...headings)), body);
  const element = h('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption }, table);
  return {
    element,
    update(next) {
      rows = next;
      fill();
    },
  };
}

function comparison({ column, down }: Order): (a: readonly Cell[], b: readonly Cell[]) => number {
  return (rowA, rowB) => {
    const [a, b] = [rowA[column] ?? null, rowB[column] ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const way =
      typeof a === 'number' && typeof b === 'number'
        ? a - b
        : String(a).localeCompare(String(b), 'en', { numeric: true });
    return down ? -way : way;
  };
}
