// Enough for a line of a diagram; arbitrary.
const previewBytes = 48;
// A character that is cut in two leaves up to three bytes.
const maxCutBytes = 3;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How `bytes[start, end)` begins, when that is UTF-8 text; undefined when it is not, or empty. */
export function payloadPreview(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end <= start) return undefined;
  const previewEnd = Math.min(end, start + previewBytes);
  if (previewEnd === end) return decoded(bytes.subarray(start, end));
  for (let cut = 0; cut <= maxCutBytes; cut++) {
    const text = decoded(bytes.subarray(start, previewEnd - cut));
    if (text !== undefined) return `${text}…`;
  }
  return undefined;
}

function decoded(bytes: Uint8Array): string | undefined {
  // Control characters below the tab are not found in text; saying so early spares an exception,
  // which costs as much as the rest of a packet.
  if (bytes.some((byte) => byte < 9)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
