export * from './address-info-error.ts';
export * from './argument-error.ts';
export * from './host-error.ts';
export * from './socket-error.ts';
export * from './timeout-error.ts';
export * from './tls-alert-error.ts';
export * from './tls-truncated-error.ts';
