export * from './bdaddr.ts';
export * from './enums.generated.ts';
export * from './errno.generated.ts';
export * from './generated.ts';
