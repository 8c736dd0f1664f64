const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Bytes as `02:04:05:b4`, tshark's way, or with another separator. */
export function hexText(bytes: Uint8Array, separator = ':'): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) {
    text += (index === 0 ? '' : separator) + hex[bytes[index]!];
  }
  return text;
}
