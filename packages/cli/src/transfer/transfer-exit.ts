/** What a transfer's exit status says beyond EXIT. */
export const TRANSFER_EXIT = {
  /** What arrived, or lies there, is not what it should be. */
  integrity: 3,
  /** The secrets differ. */
  authentication: 4,
} as const;
