// Numbers of draft-ietf-opsawg-pcapng.

export const blockType = {
  section: 0x0a0d0d0a,
  interface: 1,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  secrets: 0x0a,
} as const;

export const byteOrderMagic = 0x1a2b3c4d;

export const optionCode = {
  end: 0,
  comment: 1,
  sectionHardware: 2,
  sectionOs: 3,
  sectionApplication: 4,
  interfaceName: 2,
  interfaceDescription: 3,
  interfaceTimeResolution: 9,
  interfaceFilter: 11,
  interfaceTimeOffset: 14,
  packetFlags: 2,
  packetDropCount: 4,
  statisticsReceived: 4,
  statisticsDropped: 5,
  statisticsFilterAccepted: 6,
  statisticsOsDropped: 7,
  statisticsDelivered: 8,
} as const;

export const nameRecord = { end: 0, ipv4: 1, ipv6: 2 } as const;

/** Blocks and options are padded to 32 bits. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
