// Two UDP sockets that talk to each other. Each datagram arrives as it was sent, or not at all.
// Run: node examples/dist/udp-both-ways.js
import { AF_INET, SOCK_DGRAM, Socket } from '@sockeye/net';

const alice = new Socket(AF_INET, SOCK_DGRAM);
const bob = new Socket(AF_INET, SOCK_DGRAM);
alice.bind({ host: '127.0.0.1', port: 0 });
bob.bind({ host: '127.0.0.1', port: 0 });

// A datagram may be lost: without a timeout this would wait for ever.
alice.settimeout(5);
bob.settimeout(5);

await alice.sendto(Buffer.from('你好, Bob'), bob.getsockname());
const [question, from] = await bob.recvfrom(65_535);
console.log(`bob got: ${question.toString()}`);

// The kernel gives an address for every datagram over IPv4.
if (from === null) throw new Error('the datagram has no sender');
await bob.sendto(Buffer.from('你好, Alice'), from);
const [answer] = await alice.recvfrom(65_535);
console.log(`alice got: ${answer.toString()}`);

alice.close();
bob.close();
