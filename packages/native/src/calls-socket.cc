// Calls that make, name, configure and close a socket.
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"

namespace sockeye {

void AddressOut::Store() {
  if (bytes_.size <= 4) return;
  const uint32_t value = length;
  memcpy(bytes_.data, &value, sizeof value);
}

namespace {

// int socket(int domain, int type, int protocol);
// socket(family: number, type: number, protocol: number): number
napi_value Socket(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int family = args.Int32(0);
  const int type = args.Int32(1);
  const int protocol = args.Int32(2);
  if (args.failed()) return nullptr;
  const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return Result(env, Environment::Of(env)->Own(fd));
}

// int socketpair(int domain, int type, int protocol, int sv[2]);
// socketpair(family: number, type: number, protocol: number, pair: Int32Array): number
napi_value Socketpair(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  const int family = args.Int32(0);
  const int type = args.Int32(1);
  const int protocol = args.Int32(2);
  int32_t* pair = args.Words(3, 2);
  if (args.failed()) return nullptr;
  const int status = ::socketpair(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol, pair);
  if (status == 0) {
    Environment::Of(env)->Own(pair[0]);
    Environment::Of(env)->Own(pair[1]);
  }
  return Result(env, status);
}

// Notes a descriptor that came from elsewhere as this environment's, to be closed with it.
// own(fd: number): number
napi_value Own(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  if (::fcntl(fd, F_GETFD) < 0) return Int(env, -errno);
  return Int(env, Environment::Of(env)->Own(fd));
}

// Gives a descriptor away: it outlives the environment.
// disown(fd: number): number
napi_value Disown(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  Environment::Of(env)->Disown(fd);
  return Int(env, fd);
}

// int close(int fd);   never retried: Linux has freed the number even when it reports EINTR
// close(fd: number): number
napi_value Close(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  Environment::Of(env)->Disown(fd);
  return Result(env, ::close(fd));
}

// int fcntl(int fd, F_DUPFD_CLOEXEC, 0);
// dup(fd: number): number
napi_value Dup(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  return Result(env, Environment::Of(env)->Own(::fcntl(fd, F_DUPFD_CLOEXEC, 0)));
}

napi_value SetFlag(napi_env env, napi_callback_info info, int get, int set, int flag) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  const bool on = args.Boolean(1);
  if (args.failed()) return nullptr;
  const int flags = ::fcntl(fd, get);
  if (flags < 0) return Int(env, -errno);
  const int wanted = on ? flags | flag : flags & ~flag;
  return Result(env, wanted == flags ? 0 : ::fcntl(fd, set, wanted));
}

// int fcntl(int fd, F_SETFL, O_NONBLOCK);
// setNonblocking(fd: number, on: boolean): number
napi_value SetNonblocking(napi_env env, napi_callback_info info) {
  return SetFlag(env, info, F_GETFL, F_SETFL, O_NONBLOCK);
}

// int fcntl(int fd, F_GETFL);   1 when O_NONBLOCK is set
// getNonblocking(fd: number): number
napi_value GetNonblocking(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  const int flags = ::fcntl(fd, F_GETFL);
  return Result(env, flags < 0 ? flags : (flags & O_NONBLOCK) != 0);
}

// int fcntl(int fd, F_SETFD, FD_CLOEXEC);
// setCloexec(fd: number, on: boolean): number
napi_value SetCloexec(napi_env env, napi_callback_info info) {
  return SetFlag(env, info, F_GETFD, F_SETFD, FD_CLOEXEC);
}

// int fcntl(int fd, F_GETFD);   1 when FD_CLOEXEC is set
// getCloexec(fd: number): number
napi_value GetCloexec(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  const int flags = ::fcntl(fd, F_GETFD);
  return Result(env, flags < 0 ? flags : (flags & FD_CLOEXEC) != 0);
}

// A sockaddr argument: the view at `index`, its length in the next argument.
Bytes AddressIn(Args& args, size_t index) {
  const Bytes bytes = args.View(index);
  const uint32_t length = args.Uint32(index + 1);
  if (!args.failed() && length > bytes.size) args.FailRange("native call: address length");
  return {bytes.data, length};
}

// int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
// bind(fd: number, address: Uint8Array, length: number): number
napi_value Bind(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int fd = args.Int32(0);
  const Bytes address = AddressIn(args, 1);
  if (args.failed()) return nullptr;
  return Result(env, ::bind(fd, reinterpret_cast<sockaddr*>(address.data), address.size));
}

// int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
// Not retried on EINTR: the attempt goes on, as after EINPROGRESS.
// connect(fd: number, address: Uint8Array, length: number): number
napi_value Connect(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int fd = args.Int32(0);
  const Bytes address = AddressIn(args, 1);
  if (args.failed()) return nullptr;
  return Result(env, ::connect(fd, reinterpret_cast<sockaddr*>(address.data), address.size));
}

// int listen(int sockfd, int backlog);
// listen(fd: number, backlog: number): number
napi_value Listen(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  const int backlog = args.Int32(1);
  if (args.failed()) return nullptr;
  return Result(env, ::listen(fd, backlog));
}

// int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen, int flags);
// accept4(fd: number, addressOut: Uint8Array): number
napi_value Accept4(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  AddressOut address(args.View(1));
  if (args.failed()) return nullptr;
  const int peer = Retry([&] {
    return ::accept4(fd, address.pointer(), address.size(), SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
  if (peer >= 0) address.Store();
  return Result(env, Environment::Of(env)->Own(peer));
}

// int shutdown(int sockfd, int how);
// shutdown(fd: number, how: number): number
napi_value Shutdown(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  const int how = args.Int32(1);
  if (args.failed()) return nullptr;
  return Result(env, ::shutdown(fd, how));
}

// int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
// getsockname(fd: number, addressOut: Uint8Array): number
napi_value Getsockname(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  AddressOut address(args.View(1));
  if (args.failed()) return nullptr;
  const int status = ::getsockname(fd, address.pointer(), address.size());
  if (status == 0) address.Store();
  return Result(env, status);
}

// int getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
// getpeername(fd: number, addressOut: Uint8Array): number
napi_value Getpeername(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  AddressOut address(args.View(1));
  if (args.failed()) return nullptr;
  const int status = ::getpeername(fd, address.pointer(), address.size());
  if (status == 0) address.Store();
  return Result(env, status);
}

// int getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);
// The length that the kernel gave is the result; `value` also carries input.
// SO_GET_FILTER alone counts instructions, not bytes: a length in bytes would let the kernel write
// eight times as much as there is room.
// getsockopt(fd: number, level: number, name: number, value: Uint8Array): number
napi_value Getsockopt(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  const int fd = args.Int32(0);
  const int level = args.Int32(1);
  const int name = args.Int32(2);
  const Bytes value = args.View(3);
  if (args.failed()) return nullptr;
  const bool program = level == SOL_SOCKET && name == SO_GET_FILTER;
  const size_t unit = program ? sizeof(sock_filter) : 1;
  auto length = static_cast<socklen_t>(value.size / unit);
  const int status = ::getsockopt(fd, level, name, value.data, &length);
  return Result(env, status < 0 ? status : static_cast<int64_t>(length * unit));
}

// int setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);
// A null value passes a null pointer with the length `size`.
// setsockopt(fd: number, level: number, name: number, value: Uint8Array | null, size: number):
// number
napi_value Setsockopt(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int fd = args.Int32(0);
  const int level = args.Int32(1);
  const int name = args.Int32(2);
  const Bytes value = args.ViewOrNull(3);
  const uint32_t size = args.Uint32(4);
  if (!args.failed() && value.data != nullptr && size > value.size)
    args.FailRange("native call: option size");
  if (args.failed()) return nullptr;
  return Result(env, ::setsockopt(fd, level, name, value.data, size));
}

// int setsockopt(int sockfd, int level, int optname, const struct sock_fprog *, socklen_t);
// For the options that take a classic BPF program; `program` is its struct sock_filter array.
// attachFilter(fd: number, level: number, name: number, program: Uint8Array): number
napi_value AttachFilter(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  const int fd = args.Int32(0);
  const int level = args.Int32(1);
  const int name = args.Int32(2);
  const Bytes program = args.View(3);
  if (!args.failed() && (program.size % sizeof(sock_filter) != 0 ||
                         program.size / sizeof(sock_filter) > BPF_MAXINSNS))
    args.FailRange("native call: program size");
  if (args.failed()) return nullptr;
  const sock_fprog value{static_cast<unsigned short>(program.size / sizeof(sock_filter)),
                         reinterpret_cast<sock_filter*>(program.data)};
  return Result(env, ::setsockopt(fd, level, name, &value, sizeof value));
}

// int poll(struct pollfd *fds, nfds_t nfds, int timeout);
// Blocks the calling thread for up to `timeoutMs` (-1: no end). EINTR is reported, so that the
// caller can wait for the rest of its time. fd -1 only waits.
// poll(fd: number, events: number, timeoutMs: number): number
napi_value Poll(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  pollfd entry{args.Int32(0), static_cast<short>(args.Int32(1)), 0};
  const int timeout = args.Int32(2);
  if (args.failed()) return nullptr;
  const int status = ::poll(&entry, 1, timeout);
  return Result(env, status < 0 ? status : static_cast<int>(entry.revents));
}

// int poll(struct pollfd *fds, nfds_t nfds, 0);
// `set` holds struct pollfd as the kernel lays it out: two words each, fd and events | revents
// << 16. pollMany(set: Int32Array, count: number): number
napi_value PollMany(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const uint32_t count = args.Uint32(1);
  static_assert(sizeof(pollfd) == 2 * sizeof(int32_t));
  int32_t* set = args.Words(0, static_cast<size_t>(count) * 2);
  if (args.failed()) return nullptr;
  return Result(env, ::poll(reinterpret_cast<pollfd*>(set), count, 0));
}

// int getrlimit(RLIMIT_NOFILE, struct rlimit *rlim);   the soft limit
// descriptorLimit(): number
napi_value DescriptorLimit(napi_env env, napi_callback_info info) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return Int(env, -errno);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(limit.rlim_cur), &result);
  return result;
}

}  // namespace

void ExportSocketCalls(napi_env env, napi_value exports) {
  Export(env, exports, "socket", Socket);
  Export(env, exports, "socketpair", Socketpair);
  Export(env, exports, "own", Own);
  Export(env, exports, "disown", Disown);
  Export(env, exports, "close", Close);
  Export(env, exports, "dup", Dup);
  Export(env, exports, "setNonblocking", SetNonblocking);
  Export(env, exports, "getNonblocking", GetNonblocking);
  Export(env, exports, "setCloexec", SetCloexec);
  Export(env, exports, "getCloexec", GetCloexec);
  Export(env, exports, "bind", Bind);
  Export(env, exports, "connect", Connect);
  Export(env, exports, "listen", Listen);
  Export(env, exports, "accept4", Accept4);
  Export(env, exports, "shutdown", Shutdown);
  Export(env, exports, "getsockname", Getsockname);
  Export(env, exports, "getpeername", Getpeername);
  Export(env, exports, "getsockopt", Getsockopt);
  Export(env, exports, "setsockopt", Setsockopt);
  Export(env, exports, "attachFilter", AttachFilter);
  Export(env, exports, "descriptorLimit", DescriptorLimit);
  Export(env, exports, "poll", Poll);
  Export(env, exports, "pollMany", PollMany);
}

}  // namespace sockeye
