import type { Socket } from './socket.ts';

/** Who looks on at a stream socket, and wants to know what goes past its methods. */
export interface MoveWatcher {
  /** Bytes that `by` (`splice`, `relay`) has moved. */
  moved(direction: 'sent' | 'received', bytes: number, by: string): void;
  receivingEnded(): void;
}

/** Of the sockets that are looked on at (`tap`); empty but for them. */
export const moveWatchers = new WeakMap<object, MoveWatcher>();

type End = Socket<number> | number;

/** `onMoved` that tells the watchers of both ends first. */
export function tellingWatchers(
  { source, target, by }: { readonly source: End; readonly target: End; readonly by: string },
  onMoved: ((bytes: number) => void) | undefined,
): (bytes: number) => void {
  return (bytes) => {
    watcherOf(source)?.moved('received', bytes, by);
    watcherOf(target)?.moved('sent', bytes, by);
    onMoved?.(bytes);
  };
}

/** Its end was reached. */
export function tellEnd(source: End): void {
  watcherOf(source)?.receivingEnded();
}

function watcherOf(end: End): MoveWatcher | undefined {
  return typeof end === 'number' ? undefined : moveWatchers.get(end);
}
