import type { ListedSocket } from '@sockeye/net/capture';

/** A socket as `--json` prints it: `rtt` in seconds, the rest of TCP_INFO with units in its names. */
export function socketObject(socket: ListedSocket): Record<string, unknown> {
  const { owners, tcpInfo, ...rest } = socket;
  const [first] = owners;
  const isTcp = tcpInfo !== undefined && tcpInfo.rttUs > 0;
  return {
    ...rest,
    ...(first === undefined ? {} : { pid: first.pid, process: first.process }),
    ...(owners.length > 1 ? { owners } : {}),
    ...(isTcp ? { rtt: tcpInfo.rttUs / 1e6 } : {}),
    ...(tcpInfo === undefined ? {} : { tcpInfo: plain(tcpInfo) }),
  };
}

/** JSON has neither bigint nor Infinity: large counts become numbers or text, no limit null. */
function plain(info: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(info).map(([name, value]: [string, unknown]) => {
      if (typeof value !== 'bigint') return [name, value];
      const number = Number(value);
      return [name, Number.isSafeInteger(number) ? number : value.toString()];
    }),
  );
}
