// Calls that move bytes. Each works on a JavaScript buffer inside the call only and never blocks:
// the descriptors are O_NONBLOCK. MSG_NOSIGNAL is always set, so that SIGPIPE never comes.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>

#include "calls.h"

namespace sockeye {
namespace {

// ssize_t recv(int sockfd, void *buf, size_t len, int flags);
// recv(fd: number, buffer: Uint8Array, offset: number, length: number, flags: number): number
napi_value Recv(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int fd = args.Int32(0);
  const Bytes into = args.Slice(1);
  const int flags = args.Int32(4);
  if (args.failed()) return nullptr;
  return Result(env, Retry([&] { return Receive(fd, into.data, into.size, flags); }));
}

// ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src, socklen_t
// *addrlen); recvfrom(fd: number, buffer: Uint8Array, offset: number, length: number, flags:
// number, addressOut: Uint8Array): number
napi_value Recvfrom(napi_env env, napi_callback_info info) {
  Args args(env, info, 6);
  const int fd = args.Int32(0);
  const Bytes into = args.Slice(1);
  const int flags = args.Int32(4);
  AddressOut address(args.View(5));
  if (args.failed()) return nullptr;
  const ssize_t count = Retry([&] {
    return ::recvfrom(fd, into.data, into.size, flags, address.pointer(), address.size());
  });
  if (count >= 0) address.Store();
  return Result(env, count);
}

// ssize_t send(int sockfd, const void *buf, size_t len, int flags);
// send(fd: number, buffer: Uint8Array, offset: number, length: number, flags: number): number
napi_value Send(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int fd = args.Int32(0);
  const Bytes from = args.Slice(1);
  const int flags = args.Int32(4) | MSG_NOSIGNAL;
  if (args.failed()) return nullptr;
  return Result(env, Retry([&] { return Transmit(fd, from.data, from.size, flags); }));
}

// ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest,
// socklen_t addrlen); sendto(fd: number, buffer: Uint8Array, offset: number, length: number, flags:
// number, address: Uint8Array, addressLength: number): number
napi_value Sendto(napi_env env, napi_callback_info info) {
  Args args(env, info, 7);
  const int fd = args.Int32(0);
  const Bytes from = args.Slice(1);
  const int flags = args.Int32(4) | MSG_NOSIGNAL;
  const Bytes address = args.View(5);
  const uint32_t length = args.Uint32(6);
  if (!args.failed() && length > address.size) args.FailRange("native call: address length");
  if (args.failed()) return nullptr;
  return Result(
      env, Retry([&] { return Transmit(fd, from.data, from.size, flags, address.data, length); }));
}

// Many sends in one crossing: four words each, [fd, offset, length, result]; the bytes lie in
// `buffer`. A send that fails does not stop the others.
// sendBatch(words: Int32Array, count: number, buffer: Uint8Array): void
napi_value SendBatch(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const uint32_t count = args.Uint32(1);
  int32_t* words = args.Words(0, static_cast<size_t>(count) * 4);
  const Bytes buffer = args.View(2);
  if (args.failed()) return nullptr;
  for (uint32_t i = 0; i < count; i++, words += 4) {
    const auto offset = static_cast<uint32_t>(words[1]);
    const auto length = static_cast<uint32_t>(words[2]);
    if (offset > buffer.size || length > buffer.size - offset) {
      args.FailRange("native call: a send lies outside the buffer");
      return nullptr;
    }
    const ssize_t sent =
        Retry([&] { return Transmit(words[0], buffer.data + offset, length, MSG_NOSIGNAL); });
    words[3] = sent < 0 ? -errno : static_cast<int32_t>(sent);
  }
  return nullptr;
}

// ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count);
// sendfile(out: number, file: number, offset: number, count: number): number
napi_value Sendfile(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  const int out = args.Int32(0);
  const int in = args.Int32(1);
  off_t offset = args.Int64(2);
  const int64_t count = args.Int64(3);
  if (!args.failed() && count < 0) args.FailRange("native call: count");
  if (args.failed()) return nullptr;
  return Result(env,
                Retry([&] { return ::sendfile(out, in, &offset, static_cast<size_t>(count)); }));
}

// off_t lseek(int fd, off_t offset, int whence);   whence: SEEK_SET or, for offset -1, SEEK_CUR
// lseek(file: number, offset: number): number
napi_value Lseek(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int file = args.Int32(0);
  const off_t offset = args.Int64(1);
  if (args.failed()) return nullptr;
  return Result(env, offset < 0 ? ::lseek(file, 0, SEEK_CUR) : ::lseek(file, offset, SEEK_SET));
}

// int pipe2(int pipefd[2], int flags);   O_CLOEXEC, O_NONBLOCK; the environment's, read end first
// pipe2(ends: Int32Array): number
napi_value Pipe2(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  int32_t* ends = args.Words(0, 2);
  if (args.failed()) return nullptr;
  const int status = ::pipe2(ends, O_CLOEXEC | O_NONBLOCK);
  if (status == 0) {
    Environment::Of(env)->Own(ends[0]);
    Environment::Of(env)->Own(ends[1]);
  }
  return Result(env, status);
}

// int fcntl(int fd, F_SETPIPE_SZ, int size);   the size that it has now
// setPipeSize(fd: number, size: number): number
napi_value SetPipeSize(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  const int size = args.Int32(1);
  if (args.failed()) return nullptr;
#ifdef F_SETPIPE_SZ
  return Result(env, ::fcntl(fd, F_SETPIPE_SZ, size));
#else
  return Int(env, -ENOSYS);
#endif
}

// ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t size, unsigned int
// flags);   no offsets; SPLICE_F_NONBLOCK for the pipe, whatever its other users have set
// splice(from: number, to: number, count: number): number
napi_value Splice(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int from = args.Int32(0);
  const int to = args.Int32(1);
  const uint32_t count = args.Uint32(2);
  if (args.failed()) return nullptr;
#ifdef SPLICE_F_NONBLOCK
  return Result(env, Retry([&] {
                  return ::splice(from, nullptr, to, nullptr, count,
                                  SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                }));
#else
  return Int(env, -ENOSYS);
#endif
}

// Sends as much as the socket takes: bytes; with fewer than `size` errno says why. -1 takes
// nothing.
size_t TransmitAll(int fd, const uint8_t* data, size_t size) {
  size_t sent = 0;
  errno = EAGAIN;
  while (fd >= 0 && sent < size) {
    const ssize_t count =
        Retry([&] { return Transmit(fd, data + sent, size - sent, MSG_NOSIGNAL); });
    if (count < 0) break;
    sent += static_cast<size_t>(count);
  }
  return sent;
}

// recv and send in turn, until one of them would wait or `limit` bytes have been received.
// `outcome`: bytes received; bytes sent; what ended the receiving: 0, errno, or -1 for the end of
// the stream; what ended the sending: 0 or errno; where in `buffer` the bytes begin that were not
// sent. Without a target (-1) it receives once. relay(from: number, to: number, buffer: Uint8Array,
// limit: number, outcome: Int32Array): void
napi_value Relay(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int from = args.Int32(0);
  const int to = args.Int32(1);
  const Bytes buffer = args.View(2);
  const uint32_t limit = args.Uint32(3);
  int32_t* outcome = args.Words(4, 5);
  if (!args.failed() && (buffer.size == 0 || buffer.size + limit > INT32_MAX)) {
    args.FailRange("native call: buffer or limit");
  }
  if (args.failed()) return nullptr;
  std::fill_n(outcome, 5, 0);
  while (static_cast<uint32_t>(outcome[0]) < limit) {
    const ssize_t count = Retry([&] { return Receive(from, buffer.data, buffer.size, 0); });
    if (count <= 0) {
      outcome[2] = count == 0 ? -1 : errno;
      break;
    }
    const auto received = static_cast<size_t>(count);
    const size_t sent = TransmitAll(to, buffer.data, received);
    outcome[0] += static_cast<int32_t>(received);
    outcome[1] += static_cast<int32_t>(sent);
    if (sent < received) {
      outcome[3] = errno;
      outcome[4] = static_cast<int32_t>(sent);
    }
    if (sent < received) break;
  }
  return nullptr;
}

}  // namespace

void ExportTransferCalls(napi_env env, napi_value exports) {
  Export(env, exports, "recv", Recv);
  Export(env, exports, "recvfrom", Recvfrom);
  Export(env, exports, "send", Send);
  Export(env, exports, "sendto", Sendto);
  Export(env, exports, "sendBatch", SendBatch);
  Export(env, exports, "sendfile", Sendfile);
  Export(env, exports, "lseek", Lseek);
  Export(env, exports, "pipe2", Pipe2);
  Export(env, exports, "setPipeSize", SetPipeSize);
  Export(env, exports, "splice", Splice);
  Export(env, exports, "relay", Relay);
}

}  // namespace sockeye
