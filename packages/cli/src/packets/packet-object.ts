import type { PacketView } from './packet-view.ts';
import { epochText, isoText, secondsBetween } from './packet-time.ts';

/** A packet as `--json` prints it. */
export function packetObject(view: PacketView): Record<string, unknown> {
  const { item, dissection, event, reassembled } = view;
  return {
    type: 'packet',
    number: view.number,
    time: isoText(item),
    epoch: Number(epochText(item)),
    relative: Number(secondsBetween(view.start, item)),
    ...(view.interfaceName === undefined ? {} : { interface: view.interfaceName }),
    ...(item.direction === undefined ? {} : { direction: item.direction }),
    length: item.originalLength,
    capturedLength: item.capturedLength,
    linkType: item.linkType,
    protocols: dissection.layers.map(({ protocol }) => protocol),
    ...(view.conversation === undefined
      ? {}
      : { conversation: view.conversation, from: event?.from }),
    ...(event?.segment === undefined
      ? {}
      : { flags: event.segment.flags, states: event.segment.states }),
    ...(event?.segment?.step === undefined ? {} : { step: event.segment.step }),
    ...(event?.segment?.marks.length ? { marks: event.segment.marks } : {}),
    ...(item.comments === undefined ? {} : { comments: item.comments }),
    layers: dissection.layers,
    ...(reassembled === undefined ? {} : { reassembled }),
    ...(dissection.stops.length === 0 ? {} : { stops: dissection.stops }),
  };
}
