import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

const PROMPT = '> ';
// Above this share of the screen an unfinished line can't be found again to be continued.
const OPEN_LINE_SHARE = 1 / 4;

export interface LineViewOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Newest first. */
  readonly history: string[];
  readonly onLine: (line: string) => void;
  /** Ctrl-D. */
  readonly onEnd: () => void;
  /** Ctrl-C. */
  readonly onInterrupt: () => void;
}

/**
 * A terminal with a line that is being typed at the bottom, and text that arrives meanwhile above it.
 *
 * Theory of operation. The last line of the text may be unfinished: more of it may come. It is shown
 * as the first line of readline's prompt, so that readline knows where everything is on the screen,
 * wide characters and wrapped lines included; when more comes, the prompt is wiped out, the finished
 * lines are written and what is unfinished becomes the prompt again.
 */
export class LineView {
  #output: WriteStream;
  #readline: Interface;
  #open = '';
  #closed = false;

  constructor({ input, output, history, onLine, onEnd, onInterrupt }: LineViewOptions) {
    this.#output = output;
    this.#readline = createInterface({ input, output, history, prompt: PROMPT, terminal: true });
    insertAtCursor(this.#readline);
    this.#readline.on('line', (line) => {
      // The line was typed below the open one, which therefore can't go on.
      this.#open = '';
      this.#readline.setPrompt(PROMPT);
      this.#readline.prompt();
      onLine(line);
    });
    this.#readline.on('SIGINT', onInterrupt);
    this.#readline.on('SIGTSTP', () => this.#stop(input));
    this.#readline.on('close', () => {
      if (this.#closed) return;
      this.#leave();
      onEnd();
    });
    this.#readline.prompt();
  }

  /** Shows text above the line being typed; a last line without its newline may be continued. */
  print(text: string): void {
    if (text === '') return;
    if (this.#closed) {
      this.#output.write(text);
      return;
    }
    const all = `${this.#open}${text}`;
    const end = all.lastIndexOf('\n') + 1;
    const { columns, rows } = this.#output;
    const isLong = all.length - end > columns * rows * OPEN_LINE_SHARE;
    this.#show(isLong ? `${all}\n` : all.slice(0, end), isLong ? '' : all.slice(end));
  }

  /** Shows a line on stderr above the line being typed. */
  notice(line: string): void {
    if (!this.#closed) this.#wipe();
    process.stderr.write(`${this.#open}${this.#open === '' ? '' : '\n'}${line}\n`);
    this.#open = '';
    if (!this.#closed) this.#draw();
  }

  /** Gives the terminal back. What was being typed is wiped out. */
  close(): void {
    if (this.#closed) return;
    this.#leave();
    this.#readline.close();
  }

  /** Ctrl-Z. When the shell lets us go on, what is above the cursor is the shell's. */
  #stop(input: ReadStream): void {
    input.setRawMode(false);
    // A signal to oneself arrives before kill(2) returns: here we stop, and here we go on.
    process.kill(process.pid, 'SIGTSTP');
    input.setRawMode(true);
    this.#draw();
  }

  #leave(): void {
    this.#closed = true;
    this.#wipe();
    if (this.#open !== '') this.#output.write(`${this.#open}\n`);
    this.#open = '';
  }

  #show(lines: string, open: string): void {
    this.#wipe();
    this.#output.write(lines);
    this.#open = open;
    this.#draw();
  }

  /** Clears the prompt, the open line in it, and what is being typed; goes to where they began. */
  #wipe(): void {
    moveCursor(this.#output, 0, -this.#readline.getCursorPos().rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
  }

  #draw(): void {
    this.#readline.setPrompt(this.#open === '' ? PROMPT : `${this.#open}\n${PROMPT}`);
    // Readline's own note of how far its cursor is below its first row. It is not documented, and
    // without it readline would go up from where it no longer is.
    Object.assign(this.#readline, { prevRows: 0 });
    this.#readline.prompt(true);
  }
}

/**
 * Has several characters that come at once, as when pasted, inserted where the cursor is. Node 20
 * turns completion off for them, and without completion appends to the line whatever the cursor says.
 */
function insertAtCursor(readline: Interface): void {
  Object.defineProperty(readline, 'isCompletionEnabled', { get: () => true, set() {} });
}
