import type { MessageType, Role } from './message.ts';
import { malformed } from './field-reader.ts';

/** Where a session stands, seen from the side that receives the messages. */
export type Stage = 'hello' | 'offer' | 'answer' | 'entries' | 'ending' | 'ended';

// `failure` may come at any stage, `ping` once the peer has said all by which a session begins: until then
// it would only keep the place.
const ALLOWED: Readonly<Record<Role, Readonly<Record<Stage, readonly MessageType[]>>>> = {
  receiver: {
    hello: ['hello'],
    offer: ['offer'],
    answer: [],
    entries: ['entry', 'whole', 'digest', 'block', 'hole', 'end', 'repair', 'abandon', 'done'],
    ending: [],
    ended: [],
  },
  sender: {
    hello: ['hello'],
    offer: [],
    answer: ['answer'],
    entries: ['accept', 'refuse', 'want', 'progress', 'ack'],
    ending: ['accept', 'refuse', 'want', 'progress', 'ack', 'bye'],
    ended: [],
  },
};

/** Which message may come when, for the side that has this role. */
export class SessionOrder {
  readonly #role: Role;
  #stage: Stage = 'hello';

  constructor(role: Role) {
    this.#role = role;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Goes on to a stage that this side decides about. */
  advance(stage: Stage): void {
    this.#stage = stage;
  }

  /** @throws FrameMalformedError for a message that has no place here */
  check(type: MessageType): void {
    if (type === 'failure' || ALLOWED[this.#role][this.#stage].includes(type)) return;
    if (type === 'ping' && this.#stage !== 'hello' && this.#stage !== 'offer') return;
    malformed(`${type} has no place at stage ${this.#stage} of the ${this.#role}`);
  }
}
