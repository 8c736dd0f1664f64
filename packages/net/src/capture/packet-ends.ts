import type { RecordedPath } from './recorder.ts';

/** The ends of a conversation as the addresses of a packet: both of one family, without a zone. */
export function packetEnds({
  local,
  remote,
}: RecordedPath): Pick<RecordedPath, 'local' | 'remote'> {
  const host = packetHost(remote.host);
  return {
    local: { ...local, host: sameFamily(packetHost(local.host), host) },
    remote: { ...remote, host },
  };
}

/** Without the zone, which is no part of a packet; an IPv4 peer of an IPv6 socket as such. */
function packetHost(host: string): string {
  return host.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, '');
}

/** A socket for every interface has no address of its own; a datagram doesn't tell where it came to. */
function sameFamily(host: string, remote: string): string {
  if (host.includes(':') === remote.includes(':')) return host;
  return remote.includes(':') ? '::' : '0.0.0.0';
}
