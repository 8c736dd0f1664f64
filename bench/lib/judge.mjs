// How much dearer than recorded is a failure: the noise that is left in a ratio of one short run.
const TOLERANCE = 1.5;

/** What `ratio` (undefined: none was measured) is worth against the recorded one. */
export function judge(recorded, ratio) {
  const limit = recorded * TOLERANCE;
  if (ratio === undefined) {
    return { ok: false, text: `no figure; ${recorded.toFixed(2)} of Node was recorded` };
  }
  return {
    ok: ratio <= limit,
    text: `${ratio.toFixed(2)} of Node's CPU per message, limit ${limit.toFixed(2)}`,
  };
}
