export * from './bdaddr.ts';
export * from './errno.generated.ts';
export * from './generated.ts';
