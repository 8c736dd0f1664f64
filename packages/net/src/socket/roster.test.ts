import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Listed, Roster } from './roster.ts';

function member(): Listed {
  return { place: -1 };
}

function members<Member extends Listed>(roster: Roster<Member>): Set<Member> {
  const seen = new Set<Member>();
  roster.each((each) => seen.add(each));
  return seen;
}

test('a roster has each member once, until it is deleted', () => {
  const roster = new Roster();
  const [a, b, c] = [member(), member(), member()];
  for (const each of [a, b, c, a]) roster.add(each);
  assert.equal(roster.size, 3);
  roster.delete(a);
  roster.delete(a);
  assert.deepEqual(members(roster), new Set([b, c]));
  roster.add(a);
  roster.delete(c);
  roster.delete(b);
  assert.deepEqual([roster.size, members(roster)], [1, new Set([a])]);
});

test('each visits all that stay, whoever is deleted meanwhile', () => {
  const all = Array.from({ length: 20 }, member);
  for (let seed = 1; seed < 200; seed++) {
    const roster = new Roster();
    for (const each of all) roster.add(each);
    const visited = new Set<Listed>();
    let state = seed;
    roster.each((each) => {
      visited.add(each);
      state = (state * 48271) % 0x7fffffff;
      if (state % 3 === 0) roster.delete(each);
      if (state % 5 === 0) roster.delete(all[state % all.length] as Listed);
    });
    for (const each of members(roster)) assert.ok(visited.has(each));
    for (const each of all) roster.delete(each);
    assert.equal(roster.size, 0);
  }
});
