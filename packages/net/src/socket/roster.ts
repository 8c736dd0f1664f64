/** What can be in a roster, and in one only. */
export interface Listed {
  /** The roster's: where the member is in it; -1 while it is in none. */
  place: number;
}

/**
 * A set whose members know their place in it: some 20 bytes a member, where a Set takes 24 to 48. In no
 * order.
 */
export class Roster<Member extends Listed> {
  #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): void {
    if (member.place < 0) member.place = this.#members.push(member) - 1;
  }

  delete(member: Member): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop() as Member;
    if (last === member) return;
    this.#members[place] = last;
    last.place = place;
  }

  /** Calls `visit` for each member; it may delete members, itself among them. */
  each(visit: (member: Member) => void): void {
    // From the end: what a deletion moves forward has been visited.
    for (let i = this.#members.length - 1; i >= 0; i--) {
      const member = this.#members[i];
      if (member !== undefined) visit(member);
    }
  }
}
