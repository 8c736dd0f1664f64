#include "napi-args.h"

#include <cmath>
#include <cstring>

namespace sockeye {

Args::Args(napi_env env, napi_callback_info info, size_t expected) : env_(env) {
  size_t count = kMaxArguments;
  // Missing arguments come as undefined, which every reader below refuses.
  if (napi_get_cb_info(env, info, &count, values_, nullptr, nullptr) != napi_ok ||
      count < expected) {
    Fail("native call: an argument is missing");
  }
}

void Args::Fail(const char* message) {
  if (!failed_) napi_throw_type_error(env_, "ERR_INVALID_ARG_TYPE", message);
  failed_ = true;
}

void Args::FailRange(const char* message) {
  if (!failed_) napi_throw_range_error(env_, "ERR_OUT_OF_RANGE", message);
  failed_ = true;
}

// Not napi_get_value_int32, which makes 0 of NaN and wraps what is too large: close(NaN) would
// close standard input.
double Args::Integer(size_t index, double low, double high) {
  double value = 0;
  if (failed_) return 0;
  if (napi_get_value_double(env_, values_[index], &value) != napi_ok) {
    Fail("native call: expected a number");
    return 0;
  }
  if (!(value >= low && value <= high) || value != std::trunc(value)) {
    FailRange("native call: expected an integer in range");
    return 0;
  }
  return value;
}

int32_t Args::Int32(size_t index) {
  return static_cast<int32_t>(Integer(index, INT32_MIN, INT32_MAX));
}

uint32_t Args::Uint32(size_t index) { return static_cast<uint32_t>(Integer(index, 0, UINT32_MAX)); }

int64_t Args::Int64(size_t index) {
  constexpr double kMaxSafeInteger = 9007199254740991;
  return static_cast<int64_t>(Integer(index, -kMaxSafeInteger, kMaxSafeInteger));
}

bool Args::Boolean(size_t index) {
  bool value = false;
  if (!failed_ && napi_get_value_bool(env_, values_[index], &value) != napi_ok) {
    Fail("native call: expected a boolean");
  }
  return value;
}

std::string Args::String(size_t index) {
  size_t length = 0;
  if (failed_) return {};
  if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok) {
    Fail("native call: expected a string");
    return {};
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env_, values_[index], text.data(), length + 1, &length);
  return text;
}

Bytes Args::BytesOf(napi_value value) {
  Bytes bytes;
  if (failed_) return bytes;
  napi_typedarray_type type;
  void* data = nullptr;
  napi_value buffer = nullptr;
  bool plain = false;
  bool typed = false;
  if (napi_is_typedarray(env_, value, &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env_, value, &type, &bytes.size, &data, &buffer, nullptr) !=
          napi_ok ||
      type != napi_uint8_array) {
    Fail("native call: expected a Uint8Array");
    return {};
  }
  // A SharedArrayBuffer can change under the kernel's hands from another thread.
  if (napi_is_arraybuffer(env_, buffer, &plain) != napi_ok || !plain) {
    Fail("Cannot use bytes: a SharedArrayBuffer lies under them; copy them first");
    return {};
  }
  bytes.data = static_cast<uint8_t*>(data);
  return bytes;
}

Bytes Args::View(size_t index) { return failed_ ? Bytes{} : BytesOf(values_[index]); }

Bytes Args::ViewOrNull(size_t index) {
  napi_valuetype type = napi_undefined;
  if (failed_ || napi_typeof(env_, values_[index], &type) != napi_ok || type == napi_null)
    return {};
  return View(index);
}

Bytes Args::Slice(size_t index) {
  const Bytes whole = View(index);
  const uint32_t offset = Uint32(index + 1);
  const uint32_t length = Uint32(index + 2);
  if (failed_) return {};
  if (offset > whole.size || length > whole.size - offset) {
    FailRange("Cannot use bytes: the buffer was detached or shrunk while the operation waited");
    return {};
  }
  return {whole.data + offset, length};
}

int32_t* Args::Words(size_t index, size_t count) {
  if (failed_) return nullptr;
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  bool typed = false;
  if (napi_is_typedarray(env_, values_[index], &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env_, values_[index], &type, &length, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_int32_array || length < count) {
    Fail("native call: expected an Int32Array that is long enough");
    return nullptr;
  }
  return static_cast<int32_t*>(data);
}

napi_value Text(napi_env env, const char* text) {
  napi_value result = nullptr;
  if (text == nullptr) {
    napi_get_null(env, &result);
  } else {
    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  }
  return result;
}

void Export(napi_env env, napi_value exports, const char* name, Call call) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function) == napi_ok) {
    napi_set_named_property(env, exports, name, function);
  }
}

}  // namespace sockeye
