import { native } from '@sockeye/native';

/** The numbers of the calls on files, from the system's headers. */
export const FILE = native.fileConstants();

/** How every name below a root is looked up (safety.md 15). Source: openat2(2). */
export const BENEATH = FILE.RESOLVE_BENEATH | FILE.RESOLVE_NO_SYMLINKS | FILE.RESOLVE_NO_MAGICLINKS;
