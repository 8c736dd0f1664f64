export { type CheckedStream, checkStream, type Subtests } from './check-stream.ts';
export { countDescriptors } from './count-descriptors.ts';
export { needs } from './needs.ts';
export { PythonPeer } from './python-peer.ts';
export { rejection } from './rejection.ts';
export { type Outcome, runNode } from './run-node.ts';
export { TemporaryDirectory } from './temporary-directory.ts';
export { turns } from './turns.ts';
export { until } from './until.ts';
