// What the files of system calls share: each makes one call and returns its result, or -errno.
#pragma once

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "environment.h"
#include "napi-args.h"

namespace sockeye {

/** The result of a system call as JavaScript gets it: at least 0, or -errno. */
inline napi_value Result(napi_env env, int64_t value) {
  if (value < 0) return Int(env, -errno);
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

/** Calls again while a signal interrupts (never used for close). */
template <typename CallType>
auto Retry(CallType call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// recv(2) and send(2) as bare system calls. libc's functions are cancellation points, which costs a
// thread that is never cancelled some 40 ns a call: 1 % of an echo.
inline ssize_t Receive(int fd, void* data, size_t size, int flags) {
#ifdef __linux__
  return ::syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
#else
  return ::recv(fd, data, size, flags);
#endif
}

inline ssize_t Transmit(int fd, const void* data, size_t size, int flags,
                        const void* address = nullptr, socklen_t length = 0) {
#ifdef __linux__
  return ::syscall(SYS_sendto, fd, data, size, flags, address, length);
#else
  return ::sendto(fd, data, size, flags, static_cast<const sockaddr*>(address), length);
#endif
}

// An address that a call fills in: its length in the first four bytes, then the sockaddr.
struct AddressOut {
  explicit AddressOut(Bytes bytes) : bytes_(bytes) {
    if (bytes.size > 4) length = static_cast<socklen_t>(bytes.size - 4);
  }
  sockaddr* pointer() {
    return bytes_.size > 4 ? reinterpret_cast<sockaddr*>(bytes_.data + 4) : nullptr;
  }
  socklen_t* size() { return bytes_.size > 4 ? &length : nullptr; }
  void Store();
  socklen_t length = 0;

 private:
  Bytes bytes_;
};

void ExportSocketCalls(napi_env env, napi_value exports);
void ExportTransferCalls(napi_env env, napi_value exports);
void ExportMessageCalls(napi_env env, napi_value exports);
void ExportNameCalls(napi_env env, napi_value exports);
void ExportPollerCalls(napi_env env, napi_value exports);
void ExportFileCalls(napi_env env, napi_value exports);
void ExportDirectoryBatchCalls(napi_env env, napi_value exports);
void ExportFileBatchCalls(napi_env env, napi_value exports);
void ExportCaptureCalls(napi_env env, napi_value exports);
void ExportTlsCalls(napi_env env, napi_value exports);

}  // namespace sockeye
