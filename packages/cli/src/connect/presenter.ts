import type { Channel } from '../channel/channel.ts';
import { dataFields } from '../record/recording.ts';
import { TerminalText } from './terminal-text.ts';

/** What becomes of a peer's bytes on their way to stdout. */
export interface Presenter {
  show(data: Buffer): Uint8Array;
  /** What is left at the end. */
  end(): Uint8Array;
}

const NOTHING = new Uint8Array(0);
const NEWLINE = Buffer.from('\n');

/** Text for a terminal, JSON objects, a line a message, or simply the bytes. */
export function presenter(channel: Channel, isTerminal: boolean, isJson: boolean): Presenter {
  if (isJson) {
    return {
      show: (data) => jsonLine({ type: 'received', bytes: data.length, ...dataFields(data) }),
      end: () => NOTHING,
    };
  }
  if (isTerminal) return terminalPresenter(channel.keepsMessages);
  return {
    show: (data) => (channel.isFramed ? Buffer.concat([data, NEWLINE]) : data),
    end: () => NOTHING,
  };
}

/** An event as a line of JSON. */
export function jsonLine(event: object): Buffer {
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

function terminalPresenter(keepsMessages: boolean): Presenter {
  const text = new TerminalText();
  return {
    show(data) {
      const shown = text.push(data);
      if (!keepsMessages) return Buffer.from(shown);
      const whole = `${shown}${text.end()}`;
      return Buffer.from(whole.endsWith('\n') ? whole : `${whole}\n`);
    },
    end: () => Buffer.from(text.end()),
  };
}
