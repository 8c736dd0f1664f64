import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AF_ALG,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
  CAN_ISOTP,
  CAN_J1939,
  TIPC_ADDR_ID,
  TIPC_ADDR_NAME,
  TIPC_ADDR_NAMESEQ,
} from '../constants/index.ts';
import type { AddressInput } from './address.ts';
import { encodeAddress } from './encode-address.ts';

// The C++ compiler lays the same addresses out with the system's own structs.

interface Layout {
  readonly name: string;
  readonly header: string;
  /** Statements that fill `address`, of this type. */
  readonly type: string;
  readonly fill: string;
  readonly family: number;
  readonly proto?: number | undefined;
  readonly address: AddressInput;
  /** `sizeof(address)` unless the length counts. */
  readonly length?: number;
}

const layouts: Layout[] = [
  {
    name: 'AF_INET',
    header: 'netinet/in.h',
    type: 'sockaddr_in',
    fill: 'address.sin_family = AF_INET; address.sin_port = htons(0x1234); address.sin_addr.s_addr = htonl(0x01020304);',
    family: AF_INET,
    address: { host: '1.2.3.4', port: 0x1234 },
  },
  {
    name: 'AF_INET6',
    header: 'netinet/in.h',
    type: 'sockaddr_in6',
    fill: 'address.sin6_family = AF_INET6; address.sin6_port = htons(0x1234); address.sin6_flowinfo = htonl(0x12345); address.sin6_scope_id = 0x01020304; address.sin6_addr.s6_addr[0] = 0xfe; address.sin6_addr.s6_addr[15] = 1;',
    family: AF_INET6,
    address: { host: 'fe00::1', port: 0x1234, flowinfo: 0x12345, scopeId: 0x01020304 },
  },
  {
    name: 'AF_UNIX',
    header: 'sys/un.h',
    type: 'sockaddr_un',
    fill: 'address.sun_family = AF_UNIX; strcpy(address.sun_path, "/tmp/x");',
    family: AF_UNIX,
    address: { path: '/tmp/x' },
    length: 9,
  },
  {
    name: 'AF_PACKET',
    header: 'linux/if_packet.h',
    type: 'sockaddr_ll',
    fill: 'address.sll_family = AF_PACKET; address.sll_protocol = htons(0x0800); address.sll_ifindex = 0x01020304; address.sll_hatype = 0x0506; address.sll_pkttype = 7; address.sll_halen = 6; memcpy(address.sll_addr, "abcdef", 6);',
    family: AF_PACKET,
    address: {
      interface: 0x01020304,
      protocol: 0x0800,
      hatype: 0x0506,
      pkttype: 7,
      hwaddr: Buffer.from('abcdef'),
    },
  },
  {
    name: 'AF_NETLINK',
    header: 'linux/netlink.h',
    type: 'sockaddr_nl',
    fill: 'address.nl_family = AF_NETLINK; address.nl_pid = 0x01020304; address.nl_groups = 0x05060708;',
    family: AF_NETLINK,
    address: { pid: 0x01020304, groups: 0x05060708 },
  },
  {
    name: 'AF_VSOCK',
    header: 'linux/vm_sockets.h',
    type: 'sockaddr_vm',
    fill: 'address.svm_family = AF_VSOCK; address.svm_cid = 0x01020304; address.svm_port = 0x05060708;',
    family: AF_VSOCK,
    address: { cid: 0x01020304, port: 0x05060708 },
  },
  {
    name: 'AF_CAN raw',
    header: 'linux/can.h',
    type: 'sockaddr_can',
    fill: 'address.can_family = AF_CAN; address.can_ifindex = 0x01020304;',
    family: AF_CAN,
    address: { interface: 0x01020304 },
  },
  {
    name: 'AF_CAN ISO-TP',
    header: 'linux/can.h',
    type: 'sockaddr_can',
    fill: 'address.can_family = AF_CAN; address.can_ifindex = 1; address.can_addr.tp.rx_id = 0x01020304; address.can_addr.tp.tx_id = 0x05060708;',
    family: AF_CAN,
    proto: CAN_ISOTP,
    address: { interface: 1, rxId: 0x01020304, txId: 0x05060708 },
  },
  {
    name: 'AF_CAN J1939',
    header: 'linux/can.h',
    type: 'sockaddr_can',
    fill: 'address.can_family = AF_CAN; address.can_ifindex = 1; address.can_addr.j1939.name = 0x0102030405060708; address.can_addr.j1939.pgn = 0x01020304; address.can_addr.j1939.addr = 5;',
    family: AF_CAN,
    proto: CAN_J1939,
    address: { interface: 1, name: 0x0102030405060708n, pgn: 0x01020304, addr: 5 },
  },
  {
    name: 'AF_TIPC range',
    header: 'linux/tipc.h',
    type: 'sockaddr_tipc',
    fill: 'address.family = AF_TIPC; address.addrtype = TIPC_ADDR_NAMESEQ; address.scope = -3; address.addr.nameseq.type = 0x01020304; address.addr.nameseq.lower = 0x05060708; address.addr.nameseq.upper = 0x090a0b0c;',
    family: AF_TIPC,
    address: {
      addrType: TIPC_ADDR_NAMESEQ,
      type: 0x01020304,
      lower: 0x05060708,
      upper: 0x090a0b0c,
      scope: -3,
    },
  },
  {
    name: 'AF_TIPC service',
    header: 'linux/tipc.h',
    type: 'sockaddr_tipc',
    fill: 'address.family = AF_TIPC; address.addrtype = TIPC_ADDR_NAME; address.scope = 2; address.addr.name.name.type = 0x01020304; address.addr.name.name.instance = 0x05060708; address.addr.name.domain = 0x090a0b0c;',
    family: AF_TIPC,
    address: {
      addrType: TIPC_ADDR_NAME,
      type: 0x01020304,
      instance: 0x05060708,
      domain: 0x090a0b0c,
      scope: 2,
    },
  },
  {
    name: 'AF_TIPC socket',
    header: 'linux/tipc.h',
    type: 'sockaddr_tipc',
    fill: 'address.family = AF_TIPC; address.addrtype = TIPC_ADDR_ID; address.addr.id.ref = 0x01020304; address.addr.id.node = 0x05060708;',
    family: AF_TIPC,
    address: { addrType: TIPC_ADDR_ID, ref: 0x01020304, node: 0x05060708 },
  },
  {
    name: 'AF_ALG',
    header: 'linux/if_alg.h',
    type: 'sockaddr_alg',
    fill: 'address.salg_family = AF_ALG; strcpy((char*)address.salg_type, "skcipher"); strcpy((char*)address.salg_name, "cbc(aes)"); address.salg_feat = 0x01020304; address.salg_mask = 0x05060708;',
    family: AF_ALG,
    address: { type: 'skcipher', name: 'cbc(aes)', feat: 0x01020304, mask: 0x05060708 },
  },
  {
    name: 'AF_QIPCRTR',
    header: 'linux/qrtr.h',
    type: 'sockaddr_qrtr',
    fill: 'address.sq_family = AF_QIPCRTR; address.sq_node = 0x01020304; address.sq_port = 0x05060708;',
    family: AF_QIPCRTR,
    address: { node: 0x01020304, port: 0x05060708 },
  },
];

function program(): string {
  const headers = new Set(layouts.map(({ header }) => `#include <${header}>\n`));
  const blocks = layouts.map(
    ({ name, type, fill, length }) =>
      `{ ${type} address{}; ${fill} show("${name}", &address, ${length ?? 'sizeof(address)'}); }\n`,
  );
  return `
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <sys/socket.h>
${[...headers].join('')}
static void show(const char* name, const void* address, size_t length) {
  std::printf("%s\\t", name);
  for (size_t i = 0; i < length; i++) std::printf("%02x", ((const unsigned char*)address)[i]);
  std::printf("\\n");
}
int main() {
${blocks.join('')}}`;
}

/** Name → hexadecimal bytes; undefined where there is no compiler. */
function compiledLayouts(): Map<string, string> | undefined {
  const compiler = process.env['CXX'] ?? 'g++';
  if (spawnSync(compiler, ['--version']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'sockeye-layout-'));
  const binary = join(folder, 'layout');
  try {
    const built = spawnSync(compiler, ['-x', 'c++', '-o', binary, '-'], { input: program() });
    assert.equal(built.status, 0, built.stderr.toString());
    const lines = spawnSync(binary, { encoding: 'utf8' }).stdout.trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [name = '', bytes = ''] = line.split('\t');
        return [name, bytes];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('encodeAddress() lays every sockaddr out as the C++ compiler does', (context) => {
  const theirs = compiledLayouts();
  if (theirs === undefined) {
    context.skip('there is no C++ compiler');
    return;
  }
  for (const { name, family, proto = 0, address } of layouts) {
    assert.equal(encodeAddress(family, address, { proto }).toString('hex'), theirs.get(name), name);
  }
});
