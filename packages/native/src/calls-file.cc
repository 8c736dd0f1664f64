// Calls on files. A file can keep its caller waiting for as long as its disk or its server likes,
// so each call runs on the thread pool and returns a Promise of its result, or of -errno. Names are
// copied before the call starts; the pool never sees JavaScript's memory. A descriptor that a call
// opened belongs to nobody until JavaScript says `own`: at the call's end the environment may be
// gone.
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <memory>
#include <string>

#include "file-call.h"

namespace sockeye {
namespace {

// long syscall(SYS_openat2, int dirfd, const char *path, struct open_how *how, size_t size);
// openat2(directory: number, path: string, flags: number, mode: number, resolve: number):
// Promise<number>
napi_value Openat2(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int directory = args.Int32(0);
  std::string path = Name(args, 1);
  const uint32_t flags = args.Uint32(2);
  const uint32_t mode = args.Uint32(3);
  const uint32_t resolve = args.Uint32(4);
  if (args.failed()) return nullptr;
  auto call = std::make_unique<FileCall>();
  call->execute = [=]() -> int64_t {
#ifdef __linux__
    struct open_how how = {};
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = resolve;
    // EAGAIN: a rename raced with the walk, and whether it stays beneath could not be told
    // (openat2(2)). Three in a row are somebody's intention.
    int64_t fd = -1;
    for (int attempt = 0; attempt < 3; attempt++) {
      fd = Retry([&] { return ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how); });
      if (fd >= 0 || errno != EAGAIN) break;
    }
    return fd < 0 ? -static_cast<int64_t>(errno) : fd;
#else
    return -ENOSYS;
#endif
  };
  call->abandon = [](int64_t fd) {
    if (fd >= 0) ::close(static_cast<int>(fd));
  };
  return Run(env, std::move(call));
}

// int close(int fd);   never again on EINTR: the descriptor is gone by then
// closeFile(fd: number): Promise<number>
napi_value CloseFile(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  Environment::Of(env)->Disown(fd);
  auto call = std::make_unique<FileCall>();
  call->execute = [fd]() -> int64_t {
    return ::close(fd) < 0 && errno != EINTR ? -static_cast<int64_t>(errno) : 0;
  };
  return Run(env, std::move(call));
}

// int mkdirat(int dirfd, const char *pathname, mode_t mode);
// mkdirat(directory: number, name: string, mode: number): Promise<number>
napi_value Mkdirat(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int directory = args.Int32(0);
  const std::string name = Name(args, 1);
  const uint32_t mode = args.Uint32(2);
  if (args.failed()) return nullptr;
  return Run(env, [=] { return ::mkdirat(directory, name.c_str(), mode); });
}

// int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int
// flags); renameat2(from: number, oldName: string, to: number, newName: string, flags: number):
// Promise<number>
napi_value Renameat2(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int from = args.Int32(0);
  const std::string old_name = Name(args, 1);
  const int to = args.Int32(2);
  const std::string new_name = Name(args, 3);
  const uint32_t flags = args.Uint32(4);
  if (args.failed()) return nullptr;
#ifdef __linux__
  return Run(env, [=] {
    return ::syscall(SYS_renameat2, from, old_name.c_str(), to, new_name.c_str(), flags);
  });
#else
  return Run(env, [] { return errno = ENOSYS, -1; });
#endif
}

// int unlinkat(int dirfd, const char *pathname, int flags);
// unlinkat(directory: number, name: string, flags: number): Promise<number>
napi_value Unlinkat(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int directory = args.Int32(0);
  const std::string name = Name(args, 1);
  const int flags = args.Int32(2);
  if (args.failed()) return nullptr;
  return Run(env, [=] { return ::unlinkat(directory, name.c_str(), flags); });
}

// off_t lseek(int fd, off_t offset, int whence);   whence: SEEK_DATA, SEEK_HOLE
// seekFile(fd: number, offset: number, whence: number): Promise<number>
napi_value SeekFile(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int fd = args.Int32(0);
  const int64_t offset = args.Int64(1);
  const int whence = args.Int32(2);
  if (args.failed()) return nullptr;
  return Run(env, [=] { return ::lseek(fd, offset, whence); });
}

#ifdef RWF_NOWAIT
/** Whether a byte of a file can be had without its disk. The end of the file needs none. */
bool IsByteInMemory(int file, off_t offset) {
  char byte;
  const struct iovec into = {&byte, 1};
  if (Retry([&] { return ::preadv2(file, &into, 1, offset, RWF_NOWAIT); }) >= 0) return true;
  if (errno != EOPNOTSUPP) return false;
  struct statfs system;
  return ::fstatfs(file, &system) == 0 && system.f_type == TMPFS_MAGIC;
}
#endif

// ssize_t preadv2(int fd, const struct iovec *iov, int iovcnt, off_t offset, int flags);
// Asks for the first byte and the last: a file is read into memory in order. False where a file
// system can't tell.
// isInMemory(file: number, offset: number, count: number): boolean
napi_value IsInMemory(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int file = args.Int32(0);
  const int64_t offset = args.Int64(1);
  const uint32_t count = args.Uint32(2);
  if (!args.failed() && (offset < 0 || count == 0)) args.FailRange("native call: offset, count");
  if (args.failed()) return nullptr;
  bool result = true;
#ifdef RWF_NOWAIT
  result = IsByteInMemory(file, offset) && IsByteInMemory(file, offset + count - 1);
#endif
  napi_value value = nullptr;
  napi_get_boolean(env, result, &value);
  return value;
}

// ssize_t pread(int fd, void *buf, size_t count, off_t offset);   to nowhere: what counts is that
// the kernel has it in memory then. Twice as much again is asked for without waiting.
// readAhead(file: number, offset: number, count: number): Promise<number>
napi_value ReadAhead(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int file = args.Int32(0);
  const int64_t offset = args.Int64(1);
  const uint32_t count = args.Uint32(2);
  if (!args.failed() && offset < 0) args.FailRange("native call: offset");
  if (args.failed()) return nullptr;
  return Run(env, [=]() -> int64_t {
#ifdef POSIX_FADV_WILLNEED
    ::posix_fadvise(file, offset, int64_t{count} * 3, POSIX_FADV_WILLNEED);
#endif
    char nowhere[16 * 1024];
    int64_t total = 0;
    while (total < count) {
      const size_t room = std::min<int64_t>(sizeof nowhere, count - total);
      const ssize_t got = Retry([&] { return ::pread(file, nowhere, room, offset + total); });
      if (got < 0) return got;
      if (got == 0) break;
      total += got;
    }
    return total;
  });
}

// ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out, size_t len, unsigned flags);
// All `count` bytes of a pipe, to the file's position.
// spliceToFile(pipe: number, file: number, count: number): Promise<number>
napi_value SpliceToFile(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int pipe = args.Int32(0);
  const int file = args.Int32(1);
  const uint32_t count = args.Uint32(2);
  if (args.failed()) return nullptr;
#ifdef SPLICE_F_MOVE
  return Run(env, [=]() -> int64_t {
    for (size_t left = count; left > 0;) {
      const ssize_t moved =
          Retry([&] { return ::splice(pipe, nullptr, file, nullptr, left, SPLICE_F_MOVE); });
      if (moved <= 0) return moved;
      left -= static_cast<size_t>(moved);
    }
    return count;
  });
#else
  return Run(env, []() -> int64_t { return errno = ENOSYS, -1; });
#endif
}

// int futimens(int fd, const struct timespec times[2]);   the access time is left as it is
// futimens(fd: number, seconds: number, nanoseconds: number): Promise<number>
napi_value Futimens(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int fd = args.Int32(0);
  const int64_t seconds = args.Int64(1);
  const uint32_t nanoseconds = args.Uint32(2);
  if (args.failed()) return nullptr;
  return Run(env, [=] {
    struct timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(seconds);
    times[1].tv_nsec = nanoseconds;
    return ::futimens(fd, times);
  });
}

// int ftruncate(int fd, off_t length); int fchmod(int fd, mode_t mode); futimens, as above; int
// fsync(int fd);   in this order, to the first that fails: with many small files the way to the
// pool and back cost more than the calls. A size of -1 leaves it as it is. finishFile(fd: number,
// size: number, mode: number, seconds: number, nanoseconds: number): Promise<number>
napi_value FinishFile(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int fd = args.Int32(0);
  const int64_t size = args.Int64(1);
  const uint32_t mode = args.Uint32(2);
  const int64_t seconds = args.Int64(3);
  const uint32_t nanoseconds = args.Uint32(4);
  if (args.failed()) return nullptr;
  auto call = std::make_unique<FileCall>();
  call->execute = [=]() -> int64_t {
    struct timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(seconds);
    times[1].tv_nsec = nanoseconds;
    if (size >= 0 && Retry([&] { return ::ftruncate(fd, size); }) < 0) return -errno;
    if (Retry([&] { return ::fchmod(fd, mode); }) < 0) return -errno;
    if (Retry([&] { return ::futimens(fd, times); }) < 0) return -errno;
    return Retry([&] { return ::fsync(fd); }) < 0 ? -errno : 0;
  };
  return Run(env, std::move(call));
}

// int flock(int fd, int operation);   with LOCK_NB: nothing waits for a lock on the pool
// flock(fd: number, operation: number): Promise<number>
napi_value Flock(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int fd = args.Int32(0);
  const int operation = args.Int32(1) | LOCK_NB;
  if (args.failed()) return nullptr;
  return Run(env, [=] { return ::flock(fd, operation); });
}

// int fstatvfs(int fd, struct statvfs *buf);
// fstatvfs(fd: number): Promise<{ availableBytes: number; availableFiles: number } | number>
napi_value Fstatvfs(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  auto buffer = std::make_shared<struct statvfs>();
  auto call = std::make_unique<FileCall>();
  call->execute = [=]() -> int64_t {
    return Retry([&] { return ::fstatvfs(fd, buffer.get()); }) < 0 ? -static_cast<int64_t>(errno)
                                                                   : 0;
  };
  call->complete = [=](napi_env env, int64_t result) -> napi_value {
    if (result < 0) return Number(env, result);
    napi_value object = nullptr;
    if (napi_create_object(env, &object) != napi_ok) return nullptr;
    const auto bytes =
        static_cast<double>(buffer->f_bavail) * static_cast<double>(buffer->f_frsize);
    napi_value value = nullptr;
    napi_create_double(env, bytes, &value);
    napi_set_named_property(env, object, "availableBytes", value);
    napi_create_double(env, static_cast<double>(buffer->f_favail), &value);
    napi_set_named_property(env, object, "availableFiles", value);
    return object;
  };
  return Run(env, std::move(call));
}

// The numbers that these calls take, as the system's headers have them; -1 for what it lacks.
// fileConstants(): Record<FileConstant, number>
napi_value FileConstants(napi_env env, napi_callback_info info) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  const auto set = [&](const char* name, int64_t value) {
    napi_set_named_property(env, object, name, Number(env, value));
  };
#ifdef __linux__
  set("RESOLVE_BENEATH", RESOLVE_BENEATH);
  set("RESOLVE_NO_SYMLINKS", RESOLVE_NO_SYMLINKS);
  set("RESOLVE_NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS);
  set("RENAME_NOREPLACE", RENAME_NOREPLACE);
  set("O_PATH", O_PATH);
#else
  for (const char* name : {"RESOLVE_BENEATH", "RESOLVE_NO_SYMLINKS", "RESOLVE_NO_MAGICLINKS",
                           "RENAME_NOREPLACE", "O_PATH"})
    set(name, -1);
#endif
  set("O_RDONLY", O_RDONLY);
  set("O_RDWR", O_RDWR);
  set("O_CREAT", O_CREAT);
  set("O_EXCL", O_EXCL);
  set("O_DIRECTORY", O_DIRECTORY);
  set("O_NOFOLLOW", O_NOFOLLOW);
  set("O_NONBLOCK", O_NONBLOCK);
  set("AT_FDCWD", AT_FDCWD);
  set("AT_REMOVEDIR", AT_REMOVEDIR);
  set("SEEK_DATA", SEEK_DATA);
  set("SEEK_HOLE", SEEK_HOLE);
  set("LOCK_EX", LOCK_EX);
  set("LOCK_UN", LOCK_UN);
  return object;
}

}  // namespace

void ExportFileCalls(napi_env env, napi_value exports) {
  Export(env, exports, "openat2", Openat2);
  Export(env, exports, "closeFile", CloseFile);
  Export(env, exports, "mkdirat", Mkdirat);
  Export(env, exports, "renameat2", Renameat2);
  Export(env, exports, "unlinkat", Unlinkat);
  Export(env, exports, "seekFile", SeekFile);
  Export(env, exports, "isInMemory", IsInMemory);
  Export(env, exports, "readAhead", ReadAhead);
  Export(env, exports, "spliceToFile", SpliceToFile);
  Export(env, exports, "futimens", Futimens);
  Export(env, exports, "finishFile", FinishFile);
  Export(env, exports, "flock", Flock);
  Export(env, exports, "fstatvfs", Fstatvfs);
  Export(env, exports, "fileConstants", FileConstants);
}

}  // namespace sockeye
