import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND, missing } from '../command.test.util.ts';
import { Network, noNamespaces } from './namespaces.test.util.ts';
import { withoutTimes } from './same-text.test.util.ts';

const skip = noNamespaces();
const noIputils = missing('ping');

const REFUSED: readonly [name: string, args: readonly string[], line: RegExp][] = [
  [
    'a TTL too small',
    ['-t', '1', '10.9.2.2'],
    /^From 10\.9\.1\.1 icmp_seq=1 Time to live exceeded$/m,
  ],
  [
    'a host that is not there',
    ['10.9.2.99'],
    /^From 10\.9\.1\.1 icmp_seq=1 Destination Host Unreachable$/m,
  ],
  [
    'a hop limit too small',
    ['-t', '1', 'fd09:2::2'],
    /^From fd09:1::1 icmp_seq=1 Time exceeded: Hop limit$/m,
  ],
  ['no IPv6 way', ['fd09:3::1'], /^From fd09:1::1 icmp_seq=1 Destination unreachable: /m],
];

test('sockeye ping over a router', { skip }, async (t) => {
  const network = new Network(t);
  for (const kind of ['raw', 'datagram'] as const) {
    await t.test(`with a ${kind} socket`, async (sub) => {
      network.allowDatagrams(kind === 'datagram');
      for (const [name, args, line] of REFUSED) {
        await sub.test(`tells of ${name}, and who said so, as iputils does`, async (each) => {
          const all = ['-c', '2', '-i', '0.01', ...args];
          const ours = await network.ping(each, ...all).exit();
          assert.match(ours.stdout, line);
          assert.match(
            ours.stdout,
            /(\d) packets transmitted, 0 received, \+\1 errors, 100% packet loss/,
          );
          assert.equal(ours.status, 1);
          if (noIputils) return each.diagnostic(noIputils);
          const theirs = await network.start(each, 'ping', ...all).exit();
          assert.equal(withoutTimes(ours.stdout), withoutTimes(theirs.stdout));
        });
      }

      await sub.test(
        'sends a request although the error of another one waits on the socket',
        {
          skip: missing('strace'),
        },
        async (each) => {
          // The router gives up after 100 ms: its error is there when the second request leaves.
          const late = ['-f', '-o', '/dev/null', '-e', 'inject=sendto:delay_enter=500000:when=2'];
          const ping = [process.execPath, COMMAND, 'ping', '-c', '2', '-i', '0.01', '10.9.2.99'];
          const { stdout } = await network.start(each, 'strace', ...late, ...ping).exit();
          for (const sequence of [1, 2]) {
            const line = `From 10.9.1.1 icmp_seq=${sequence} Destination Host Unreachable\n`;
            assert.ok(stdout.includes(line), stdout);
          }
          assert.match(stdout, /2 packets transmitted, 0 received, \+2 errors/);
        },
      );

      for (const address of ['10.9.2.2', 'fd09:2::2']) {
        await sub.test(`gets replies from ${address} with one hop taken`, async (each) => {
          const { status, stdout } = await network.ping(each, '-c2', '-i', '5ms', address).exit();
          assert.equal(status, 0);
          assert.match(stdout, /icmp_seq=1 ttl=63 time=[\d.]+ ms\n/);
          assert.match(stdout, /2 received, 0% packet loss/);
        });
      }

      await sub.test('gives up on a host that says nothing, within -W', async (each) => {
        const before = performance.now();
        const args = ['-c1', '-W', '300ms', '10.9.5.1'];
        const { status, stdout } = await network.ping(each, ...args).exit();
        assert.equal(status, 1);
        assert.match(stdout, /1 packets transmitted, 0 received, 100% packet loss/);
        assert.doesNotMatch(stdout, /rtt/);
        assert.ok(performance.now() - before < 8000, 'not the 10 s of the default');
      });

      await sub.test('counts what got lost on the way', async (each) => {
        const running = network.ping(each, '-c5', '-i', '400ms', '-W', '200ms', '10.9.2.2');
        await running.until(({ stdout }) => stdout.includes('icmp_seq=1 '));
        network.ip('router', 'route add blackhole 10.9.2.2/32');
        const { status, stdout } = await running.exit();
        network.ip('router', 'route del blackhole 10.9.2.2/32');
        assert.equal(status, 0);
        const [, received] = /5 packets transmitted, (\d) received/.exec(stdout) ?? [];
        assert.ok(Number(received) >= 1 && Number(received) < 5, stdout);
        assert.ok(stdout.includes(`, ${((5 - Number(received)) * 100) / 5}% packet loss`), stdout);
      });

      await sub.test('marks the second reply of a group as a duplicate', async (each) => {
        const args = ['-c1', '-i', '500ms', '--json', 'ff02::1%v1'];
        const { stdout } = await network.ping(each, ...args, '-c', '2').exit();
        const replies = stdout.split('\n').filter((line) => line.includes('"isDuplicate":true'));
        assert.ok(replies.length >= 1, stdout);
        assert.ok(!stdout.includes('"isFromElsewhere":true'), stdout);
      });

      await sub.test('without a route counts errors and exits 1', async (each) => {
        network.ip('near', 'route del default');
        const { status, stdout } = await network.ping(each, '-c1', '192.0.2.1').exit();
        network.ip('near', 'route add default via 10.9.1.1');
        assert.equal(status, 1);
        assert.match(stdout, /^Cannot send icmp_seq=1: network is unreachable \(ENETUNREACH\)/m);
        assert.match(stdout, /1 packets transmitted, 0 received, \+1 errors, 100% packet loss/);
      });
    });
  }
});
