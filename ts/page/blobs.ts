/** The bytes of an embedded array, unpacked when they are needed. */
export async function readBlob(id: number): Promise<Uint8Array> {
  const text = document.getElementById(`blob-${id}`)?.textContent;
  if (!text) throw new Error(`the report has no array ${id}`);
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
