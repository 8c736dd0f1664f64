import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants as node } from 'node:os';
import { test } from 'node:test';
import * as constants from './index.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const withPython = { skip: hasPython ? false : 'python3 is not installed' };

/** Names that Python defines itself where the headers lack them; Linux never had them. */
const inventedByPython = new Set(['ALG_OP_SIGN', 'ALG_OP_VERIFY', 'ALG_SET_PUBKEY']);

/** What a Python expression gives as JSON. */
function python(expression: string): Record<string, unknown> {
  const program = `import errno, json, os, socket; print(json.dumps(${expression}))`;
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return Object.fromEntries(Object.entries(JSON.parse(stdout)));
}

const ours = new Map<string, unknown>(Object.entries(constants));

test(
  "every constant of Python's socket module has the value that Python gives it",
  withPython,
  () => {
    const theirs = Object.entries(
      python(
        '{name: int(value) for name, value in vars(socket).items() if name[:2].isupper() and isinstance(value, int)}',
      ),
    ).filter(([name]) => !inventedByPython.has(name));
    assert.ok(theirs.length > 300);
    for (const [name, value] of theirs) assert.equal(ours.get(name), value, name);
  },
);

test('errnoName and errnoMessage agree with the C library behind Python', withPython, () => {
  const names = Object.entries(python('errno.errorcode'));
  for (const [number, name] of names) {
    // Python keeps the last of several names, this library the first.
    assert.equal(ours.get(String(name)), Number(number));
    assert.ok(constants.errnoName.has(Number(number)));
  }
  const messages = python('{number: os.strerror(number) for number in errno.errorcode}');
  for (const [number, message] of Object.entries(messages)) {
    assert.equal(constants.errnoMessage.get(Number(number)), message);
  }
});

test("errnoName has every errno that Node's os.constants has", () => {
  for (const [name, number] of Object.entries(node.errno)) {
    assert.equal(ours.get(name), number, name);
    assert.equal(ours.get(constants.errnoName.get(number) ?? ''), number);
  }
});

test('a number with several names is called by its first', () => {
  assert.equal(constants.errnoName.get(constants.EWOULDBLOCK), 'EAGAIN');
  assert.equal(constants.errnoName.get(constants.EDEADLOCK), 'EDEADLK');
  assert.equal(constants.errnoName.get(constants.ENOTSUP), 'EOPNOTSUPP');
  assert.equal(constants.hostErrorName.get(constants.NO_ADDRESS), 'NO_DATA');
});

test('addressInfoErrorName and hostErrorName know the errors of the resolver, with a text each', () => {
  assert.equal(constants.addressInfoErrorName.get(constants.EAI_NONAME), 'EAI_NONAME');
  assert.equal(constants.hostErrorName.get(constants.HOST_NOT_FOUND), 'HOST_NOT_FOUND');
  for (const [names, messages] of [
    [constants.errnoName, constants.errnoMessage],
    [constants.addressInfoErrorName, constants.addressInfoErrorMessage],
    [constants.hostErrorName, constants.hostErrorMessage],
  ] as const) {
    assert.deepEqual([...messages.keys()], [...names.keys()]);
    for (const message of messages.values()) assert.notEqual(message, '');
  }
});

test('AddressFamily, SocketKind, MsgFlag and AddressInfo group constants by name', () => {
  for (const group of [
    constants.AddressFamily,
    constants.SocketKind,
    constants.MsgFlag,
    constants.AddressInfo,
  ]) {
    const members = Object.entries(group);
    assert.ok(members.length > 5);
    for (const [name, value] of members) assert.equal(ours.get(name), value, name);
  }
});

test('a constant that these headers lack is exported as undefined', () => {
  // BSD's and macOS's, which no Linux has.
  const absent = process.platform === 'linux' ? ['AF_LINK', 'LOCAL_PEERCRED', 'SO_RTABLE'] : [];
  for (const name of absent) {
    assert.ok(ours.has(name), name);
    assert.equal(ours.get(name), undefined);
  }
});
