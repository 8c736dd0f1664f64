// A call on files that runs on the thread pool: what the files of such calls share.
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "calls.h"

namespace sockeye {

/** One call: `execute` runs on a pool thread and touches no JavaScript, `complete` may. */
struct FileCall {
  std::function<int64_t()> execute;
  std::function<napi_value(napi_env, int64_t)> complete;
  /** What undoes the call when nobody is left to be told of its result. */
  std::function<void(int64_t)> abandon;
  int64_t result = 0;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
};

inline napi_value Number(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

inline napi_value Run(napi_env env, std::unique_ptr<FileCall> call) {
  napi_value promise = nullptr;
  napi_value name = Text(env, "SOCKEYE_FILE");
  if (napi_create_promise(env, &call->deferred, &promise) != napi_ok) return nullptr;
  const auto execute = [](napi_env, void* data) {
    auto* call = static_cast<FileCall*>(data);
    call->result = call->execute();
  };
  const auto complete = [](napi_env env, napi_status status, void* data) {
    std::unique_ptr<FileCall> call(static_cast<FileCall*>(data));
    napi_value value = nullptr;
    if (status == napi_ok)
      value = call->complete ? call->complete(env, call->result) : Number(env, call->result);
    if (value == nullptr || napi_resolve_deferred(env, call->deferred, value) != napi_ok) {
      if (status == napi_ok && call->abandon) call->abandon(call->result);
    }
    napi_delete_async_work(env, call->work);
  };
  if (napi_create_async_work(env, nullptr, name, execute, complete, call.get(), &call->work) !=
      napi_ok) {
    return nullptr;
  }
  if (napi_queue_async_work(env, call->work) != napi_ok) {
    napi_delete_async_work(env, call->work);
    return nullptr;
  }
  call.release();
  return promise;
}

/** Runs `execute`, whose result below 0 stands for errno. */
inline napi_value Run(napi_env env, std::function<int64_t()> execute) {
  auto call = std::make_unique<FileCall>();
  call->execute = [execute = std::move(execute)] {
    const int64_t result = Retry(execute);
    return result < 0 ? -static_cast<int64_t>(errno) : result;
  };
  return Run(env, std::move(call));
}

/** A file name: the kernel would stop at a NUL inside it and take another file. */
inline std::string Name(Args& args, size_t index) {
  std::string name = args.String(index);
  if (name.find('\0') != std::string::npos) args.FailRange("native call: a NUL in a file name");
  return name;
}

/** Bytes as a Uint8Array of its own; nullptr where there is no memory for it. */
inline napi_value BytesOut(napi_env env, const std::string& bytes) {
  void* target = nullptr;
  napi_value buffer = nullptr;
  napi_value view = nullptr;
  if (napi_create_arraybuffer(env, bytes.size(), &target, &buffer) != napi_ok) return nullptr;
  bytes.copy(static_cast<char*>(target), bytes.size());
  napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &view);
  return view;
}

}  // namespace sockeye
