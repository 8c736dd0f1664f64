import { Recorder, readRecording } from '../record/recording.ts';
import type { StdioOptions } from './join-stdio.ts';

/**
 * Whether the files of --replay and --record can be used: who waits for a peer wants to know before.
 *
 * @throws CommandError
 */
export function checkFiles({ replay, record }: StdioOptions): void {
  if (replay !== undefined) readRecording(replay);
  if (record !== undefined) Recorder.check(record);
}
