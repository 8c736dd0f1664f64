// What the calls share that do the same to many files in one go: plans, descriptors, syncs. Plans
// come from JavaScript as bytes, little-endian; they are copied before the call starts and read
// with bounds: what is no plan gives -EINVAL.
#pragma once

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

#include <string>
#include <string_view>
#include <utility>

#include "file-call.h"

namespace sockeye {

/** A descriptor that closes itself. */
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/** Reads the fields of a plan; failed() once a field wasn't there. */
class PlanReader {
 public:
  explicit PlanReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number(size_t size) {
    const std::string_view field = Take(size);
    uint64_t value = 0;
    for (size_t i = field.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(field[i]);
    return value;
  }
  std::string_view Take(size_t size) {
    if (failed_ || size > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  /** One name in a directory, its length in two bytes before it. */
  std::string Name() {
    const std::string_view name = Take(Number(2));
    const bool is_name = !name.empty() && name != "." && name != ".." &&
                         name.find('/') == name.npos && name.find('\0') == name.npos;
    if (!is_name) failed_ = true;
    return std::string(name);
  }
  /** Names with a slash between, their length in two bytes before them; "." for none. */
  std::string Path() {
    const std::string_view path = Take(Number(2));
    if (path.empty() || path.find('\0') != path.npos) failed_ = true;
    return std::string(path);
  }
  bool more() const { return !failed_ && at_ < bytes_.size(); }
  bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

inline void Append(std::string& bytes, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; i++) bytes.push_back(static_cast<char>(value >> 8 * i));
}

/** openat2 that follows no link and never leaves the directory (safety.md 15); -1 sets errno. */
inline int OpenBeneath(int directory, const char* path, uint64_t flags, uint64_t mode) {
#ifdef __linux__
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  int64_t fd = -1;
  // As in openat2 itself: a rename that raced with the walk.
  for (int attempt = 0; attempt < 3; attempt++) {
    fd = Retry([&] { return ::syscall(SYS_openat2, directory, path, &how, sizeof how); });
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return static_cast<int>(fd);
#else
  errno = ENOSYS;
  return -1;
#endif
}

inline int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

/** When the content was changed last, as anybody may set it. */
inline int64_t MtimeNs(const struct stat& stat) {
#ifdef __APPLE__
  return Nanoseconds(stat.st_mtimespec);
#else
  return Nanoseconds(stat.st_mtim);
#endif
}

/** When anything of it was changed last, which the kernel alone sets. */
inline int64_t CtimeNs(const struct stat& stat) {
#ifdef __APPLE__
  return Nanoseconds(stat.st_ctimespec);
#else
  return Nanoseconds(stat.st_ctim);
#endif
}

/** Runs a call whose outcome is bytes, or -errno. */
inline napi_value RunForBytes(napi_env env, std::function<int64_t(std::string&)> execute) {
  auto bytes = std::make_shared<std::string>();
  auto call = std::make_unique<FileCall>();
  call->execute = [execute = std::move(execute), bytes] { return execute(*bytes); };
  call->complete = [bytes](napi_env env, int64_t result) {
    return result < 0 ? Number(env, result) : BytesOut(env, *bytes);
  };
  return Run(env, std::move(call));
}

/** Whether syncfs(2) makes all that was written durable, as fsync does: where we know that. */
inline bool CanSyncAll(int fd) {
#ifdef __linux__
  struct statfs fs;
  if (::fstatfs(fd, &fs) < 0) return false;
  switch (static_cast<uint32_t>(fs.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return true;
    default:
      // FUSE's does not ask the server, and of others nobody has told us.
      return false;
  }
#else
  return false;
#endif
}

// Below so many files an fsync of each is quicker than of all that a file system has. Arbitrary.
inline constexpr size_t kSyncAllFiles = 4;

}  // namespace sockeye
