import { layersJson } from '@sockeye/net/dissect';
import type { PacketView } from './packet-view.ts';
import { epochText, isoText, secondsBetween } from './packet-time.ts';

/** A packet as `--json` prints it. */
export function packetJson(view: PacketView): string {
  const { dissection, reassembled } = view;
  const { layers, stops } = dissection;
  const whole =
    reassembled === undefined
      ? ''
      : `,"reassembled":{"length":${reassembled.length},"layers":${layersJson(reassembled.layers)}}`;
  const stopped = stops.length === 0 ? '' : `,"stops":${JSON.stringify(stops)}`;
  const head = JSON.stringify(headObject(view)).slice(0, -1);
  return `${head},"layers":${layersJson(layers)}${whole}${stopped}}`;
}

function headObject(view: PacketView): Record<string, unknown> {
  const { item, dissection, event } = view;
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
  };
}
