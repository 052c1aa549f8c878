/** Maximum length of a list on one line, in characters. */
const LINE = 100;

/** JSON with an indent of two blanks, with each short list of plain values on one line. */
export function readableJson(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  const block = (open: string, parts: string[], close: string) =>
    `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
  if (Array.isArray(value)) {
    const parts = value.map((item) => readableJson(item, inner));
    const line = `[${parts.join(', ')}]`;
    const short = line.length <= LINE && !line.includes('\n') && !line.includes('{');
    return short ? line : block('[', parts, ']');
  }
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(
      ([key, v]) => `${JSON.stringify(key)}: ${readableJson(v, inner)}`,
    );
    return parts.length === 0 ? '{}' : block('{', parts, '}');
  }
  return JSON.stringify(value) ?? 'null';
}
