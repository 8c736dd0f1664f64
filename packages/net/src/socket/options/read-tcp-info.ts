import { native } from '@sockeye/native';
import { IPPROTO_TCP, TCP_INFO } from '../../constants/index.ts';
import { type TcpInfo, tcpInfo } from './tcp-info.ts';

/**
 * What the kernel knows of the TCP connection behind a descriptor; undefined where it is none, or
 * closed. Source: tcp(7).
 */
export function readTcpInfo(fd: number): TcpInfo | undefined {
  const bytes = Buffer.alloc(tcpInfo.size);
  const length = native.getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes);
  return length < 0 ? undefined : tcpInfo.decode(bytes.subarray(0, length));
}
