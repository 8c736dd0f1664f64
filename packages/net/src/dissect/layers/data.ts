import type { LayerDefinition } from '../layer-definition.ts';

/** Bytes that no layer claimed. */
export const data: LayerDefinition = {
  protocol: 'data',
  announcedBy: {},
  dissect(packet) {
    const length = packet.remaining;
    if (length === 0) return;
    packet.raw('data.data', length);
    packet.derived('data.len', length, packet.at - length);
  },
};
