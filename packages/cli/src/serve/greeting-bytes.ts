/** The text that greets a client: it ends in a newline. */
export function greetingBytes(text: string): Buffer {
  return Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
}
