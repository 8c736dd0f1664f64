import { type Command, InvalidArgumentError } from 'commander';

/** Flags of everything that reports a transfer. */
export interface ReportFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly receipt?: string;
}

export function addSecretFlags(command: Command): void {
  command
    .option('--secret-file <file>', 'the pairing secret is in this file; - is stdin')
    .option('--secret-fd <n>', 'the pairing secret comes from this open descriptor', parseFd)
    .option('--insecure', 'no encryption and no secret, on both sides: for trusted wires');
}

export function addReportFlags(command: Command): void {
  command
    .option('--receipt <file>', 'write a receipt here, for sockeye verify')
    .option('--json', 'print events as JSON objects, one a line, on stdout', false)
    .option('-q, --quiet', 'print nothing but problems', false);
}

function parseFd(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the number of an open descriptor.');
}
