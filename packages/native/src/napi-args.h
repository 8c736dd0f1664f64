// The only place that reads arguments of a call from JavaScript. A wrong argument throws a
// TypeError and makes failed() true; it never aborts the process.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sockeye {

constexpr size_t kMaxArguments = 10;

/** Bytes of a Uint8Array; valid inside the current call only. */
struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;
};

class Args {
 public:
  Args(napi_env env, napi_callback_info info, size_t expected);

  int32_t Int32(size_t index);
  uint32_t Uint32(size_t index);
  /** An integer that a double can carry exactly. */
  int64_t Int64(size_t index);
  bool Boolean(size_t index);
  std::string String(size_t index);
  /** The whole Uint8Array. */
  Bytes View(size_t index);
  /** The same, or nothing where the argument is null. */
  Bytes ViewOrNull(size_t index);
  /** `length` bytes from `offset` (the two arguments after the view), checked against its size now.
   */
  Bytes Slice(size_t index);
  /** An Int32Array with at least `count` elements. */
  int32_t* Words(size_t index, size_t count);
  Bytes BytesOf(napi_value value);
  napi_value Raw(size_t index) const { return values_[index]; }

  bool failed() const { return failed_; }
  void Fail(const char* message);
  void FailRange(const char* message);
  napi_env env() const { return env_; }

 private:
  double Integer(size_t index, double low, double high);

  napi_env env_;
  napi_value values_[kMaxArguments];
  bool failed_ = false;
};

inline napi_value Int(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

napi_value Text(napi_env env, const char* text);

using Call = napi_value (*)(napi_env, napi_callback_info);
void Export(napi_env env, napi_value exports, const char* name, Call call);

}  // namespace sockeye
