import type { Direction, Tap } from '../channel/tapped-channel.ts';

const ROW_BYTES = 16;
const MARK: Record<Direction, string> = { sent: '>', received: '<' };

/**
 * A hex dump of both directions, as `hexdump -C` with the direction in front; each direction counts
 * its own bytes.
 *
 * @param write takes whole lines
 * @param label stands before each line, where there are several conversations
 */
export function hexDump(write: (lines: string) => void, label: string = ''): Tap {
  const at: Record<Direction, number> = { sent: 0, received: 0 };
  return (direction, data) => {
    if (data === undefined) return;
    let text = '';
    for (let start = 0; start < data.length; start += ROW_BYTES) {
      const row = data.subarray(start, start + ROW_BYTES);
      text += `${label}${MARK[direction]} ${hexRow(at[direction] + start, row)}\n`;
    }
    at[direction] += data.length;
    write(text);
  };
}

function hexRow(offset: number, row: Uint8Array): string {
  const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
  const left = hex.slice(0, ROW_BYTES / 2).join(' ');
  const right = hex.slice(ROW_BYTES / 2).join(' ');
  const shown = Array.from(row, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  );
  const columns = `${left.padEnd(23)}  ${right.padEnd(23)}`;
  return `${offset.toString(16).padStart(8, '0')}  ${columns}  |${shown.join('')}|`;
}
