#include "calls.h"

// The init symbol rather than a static constructor: a worker thread loads the addon a second time.
NAPI_MODULE_INIT() {
  if (!sockeye::Environment::Install(env)) {
    napi_throw_error(env, nullptr, "Cannot load @sockeye/native: out of memory");
    return nullptr;
  }
  sockeye::ExportSocketCalls(env, exports);
  sockeye::ExportTransferCalls(env, exports);
  sockeye::ExportMessageCalls(env, exports);
  sockeye::ExportNameCalls(env, exports);
  sockeye::ExportPollerCalls(env, exports);
  sockeye::ExportFileCalls(env, exports);
  sockeye::ExportDirectoryBatchCalls(env, exports);
  sockeye::ExportFileBatchCalls(env, exports);
  sockeye::ExportCaptureCalls(env, exports);
  sockeye::ExportTlsCalls(env, exports);
  return exports;
}
