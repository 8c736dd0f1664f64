/** What a sender that was interrupted tells its receiver, which shows it in words of its own. */
export const SENDER_INTERRUPTED = 'the sender was interrupted';
