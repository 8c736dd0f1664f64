// Calls that do the same to many directories in one go, below an open one: a tree may have a
// hundred thousand of them, and each way to the pool and back costs more than its system calls.
// Paths are openat2's, beneath that directory.
#include <vector>

#include "file-batch.h"

namespace sockeye {
namespace {

/** One buffer of getdents64(2): some thousand names. */
constexpr size_t kListingBytes = 32 * 1024;

void AppendListed(std::string& records, int directory, const char* name) {
  const size_t length = ::strlen(name);
  struct stat stat = {};
  const bool failed = ::fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0;
  Append(records, length, 2);
  records.append(name, length);
  Append(records, failed ? static_cast<uint64_t>(-int64_t{errno}) : 0, 4);
  Append(records, stat.st_mode, 4);
  for (const int64_t value :
       {int64_t(stat.st_ino), int64_t(stat.st_size), MtimeNs(stat), int64_t(stat.st_blocks)})
    Append(records, static_cast<uint64_t>(value), 8);
}

/** Appends the next names of a directory: 1, 0 at its end, or -errno. */
int64_t ListSome(int fd, std::string& records) {
#ifdef __linux__
  alignas(8) char buffer[kListingBytes];
  const size_t before = records.size();
  while (records.size() == before) {
    const int64_t count =
        Retry([&] { return ::syscall(SYS_getdents64, fd, buffer, sizeof buffer); });
    if (count <= 0) return count < 0 ? -int64_t{errno} : 0;
    for (int64_t at = 0; at < count;) {
      // struct linux_dirent64: inode and offset in 8 bytes, length in 2, type in 1, the name.
      uint16_t length = 0;
      ::memcpy(&length, buffer + at + 16, sizeof length);
      const char* name = buffer + at + 19;
      const std::string_view text = name;
      if (text != "." && text != "..") AppendListed(records, fd, name);
      at += length;
    }
  }
  return 1;
#else
  return -ENOSYS;
#endif
}

// ssize_t getdents64(int fd, void dirp[.count], size_t count); int fstatat(int dirfd, const char
// *pathname, struct stat *statbuf, int flags);   the next names of the directory, without "." and
// "..": nothing at its end. A record for each: length of the name in 2 bytes, the name, 0 or -errno
// of fstatat in 4, mode in 4, inode, size, time of change in nanoseconds, blocks of 512 bytes in 8
// each. listDirectory(fd: number): Promise<Uint8Array |
// number>
napi_value ListDirectory(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const int fd = args.Int32(0);
  if (args.failed()) return nullptr;
  return RunForBytes(env, [fd](std::string& records) -> int64_t {
    const int64_t result = ListSome(fd, records);
    return result < 0 ? result : 0;
  });
}

/** One plan, and the directory that its paths begin at. */
struct PlannedCall {
  int directory;
  std::string plan;
};

PlannedCall Planned(Args& args) {
  const int directory = args.Int32(0);
  const Bytes plan = args.View(1);
  return {directory, std::string(reinterpret_cast<char*>(plan.data), plan.size)};
}

// Listings together, beyond which the rest of a plan waits for another call. Arbitrary.
constexpr size_t kListingsBytes = 256 * 1024;

/** Appends all names of a directory; -EAGAIN, and nothing appended, where they are too many. */
int64_t ListAll(int directory, const std::string& path, std::string& records) {
  const UniqueFd fd(OpenBeneath(directory, path.c_str(), O_RDONLY | O_DIRECTORY, 0));
  if (fd.get() < 0) return -errno;
  const size_t before = records.size();
  int64_t result = 1;
  while (result > 0 && records.size() <= kListingsBytes) result = ListSome(fd.get(), records);
  if (result != 0) records.resize(before);
  return result > 0 ? -EAGAIN : result;
}

// openat2(2), getdents64(2) until its end and fstatat(2) of each name, close(2) for each directory
// that `plan` names. A record of the plan: length of the path in 2 bytes, the path. The result for
// each: bytes of its records, or -errno, in 4 bytes, then the records, as listDirectory gives them.
// EAGAIN where there was no room for all of them: it has to be listed by itself.
// listDirectories(directory: number, plan: Uint8Array): Promise<Uint8Array | number>
napi_value ListDirectories(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const PlannedCall call = Planned(args);
  if (args.failed()) return nullptr;
  return RunForBytes(env, [call](std::string& out) -> int64_t {
    PlanReader reader(call.plan);
    while (reader.more()) {
      const std::string path = reader.Path();
      if (reader.failed()) break;
      const size_t at = out.size();
      Append(out, 0, 4);
      int64_t result = out.size() > kListingsBytes ? -EAGAIN : ListAll(call.directory, path, out);
      if (result == 0) result = static_cast<int64_t>(out.size() - at - 4);
      for (size_t byte = 0; byte < 4; byte++)
        out[at + byte] = static_cast<char>(static_cast<uint32_t>(result) >> 8 * byte);
    }
    return reader.failed() ? -EINVAL : 0;
  });
}

/** Makes directories durable: one by one, or those of the root's file system together at the end.
 */
class DirectorySync {
 public:
  DirectorySync(int root, size_t directories) : root_(root) {
    together_ = directories >= kSyncAllFiles && ::fstat(root, &root_stat_) == 0 && CanSyncAll(root);
  }

  /** 0, or -errno; what is put off shows in Finish(). */
  int Sync(int fd) {
    struct stat stat;
    if (together_ && ::fstat(fd, &stat) == 0 && stat.st_dev == root_stat_.st_dev) {
      is_due_ = true;
      return 0;
    }
    return Retry([&] { return ::fsync(fd); }) < 0 ? -errno : 0;
  }

  int Finish() {
#ifdef __linux__
    if (is_due_ && ::syncfs(root_) < 0) return -errno;
#endif
    return 0;
  }

 private:
  int root_;
  bool together_ = false;
  bool is_due_ = false;
  struct stat root_stat_ = {};
};

struct DirectoryOrder {
  std::string path;
  uint32_t mode;
  struct timespec times[2];
  int result = 0;

  std::string parent() const {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "." : path.substr(0, slash);
  }
  std::string name() const { return path.substr(path.rfind('/') + 1); }
};

/** The orders of a plan; false where it is none. */
bool ReadOrders(PlanReader& reader, bool with_times, std::vector<DirectoryOrder>& orders) {
  while (reader.more()) {
    DirectoryOrder order = {};
    order.mode = static_cast<uint32_t>(reader.Number(4)) & 07777;
    order.times[0].tv_nsec = UTIME_OMIT;
    if (with_times) {
      order.times[1].tv_sec = static_cast<time_t>(reader.Number(8));
      order.times[1].tv_nsec = static_cast<long>(reader.Number(4));
    }
    order.path = reader.Path();
    orders.push_back(std::move(order));
  }
  return !reader.failed();
}

void AppendResults(const std::vector<DirectoryOrder>& orders, int sync_error, std::string& out) {
  for (const DirectoryOrder& order : orders) {
    const int result = order.result == 0 ? sync_error : order.result;
    Append(out, static_cast<uint64_t>(result), 4);
  }
}

/** 0 where it was made or is there already, as a directory and not as a link to one. */
int MakeOne(int root, int parent, const DirectoryOrder& order) {
  if (::mkdirat(parent, order.name().c_str(), order.mode) == 0) return 0;
  if (errno != EEXIST) return -errno;
  const UniqueFd there(OpenBeneath(root, order.path.c_str(), O_PATH | O_DIRECTORY, 0));
  return there.get() < 0 ? -errno : 0;
}

/** Those that follow one another in one directory share its opening and its sync. */
int MakeAll(int root, std::vector<DirectoryOrder>& orders) {
  DirectorySync sync(root, orders.size());
  for (size_t first = 0, next = 0; first < orders.size(); first = next) {
    const std::string path = orders[first].parent();
    const UniqueFd parent(OpenBeneath(root, path.c_str(), O_RDONLY | O_DIRECTORY, 0));
    const int error = parent.get() < 0 ? -errno : 0;
    for (; next < orders.size() && orders[next].parent() == path; next++)
      orders[next].result = error != 0 ? error : MakeOne(root, parent.get(), orders[next]);
    const int unsynced = error == 0 ? sync.Sync(parent.get()) : 0;
    for (size_t i = first; i < next && unsynced != 0; i++)
      if (orders[i].result == 0) orders[i].result = unsynced;
  }
  return sync.Finish();
}

// openat2(2) of the parent, mkdirat(2), and fsync(2) of the parent or one syncfs(2) for each
// directory that `plan` names, in its order. A record of the plan: mode in 4 bytes, length of the
// path in 2, the path. The result: 0 or -errno in 4 bytes for each; 0 as well for a directory that
// is there already. makeDirectories(directory: number, plan: Uint8Array): Promise<Uint8Array |
// number>
napi_value MakeDirectories(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const PlannedCall call = Planned(args);
  if (args.failed()) return nullptr;
  return RunForBytes(env, [call](std::string& out) -> int64_t {
    PlanReader reader(call.plan);
    std::vector<DirectoryOrder> orders;
    if (!ReadOrders(reader, false, orders)) return -EINVAL;
    const int sync_error = MakeAll(call.directory, orders);
    AppendResults(orders, sync_error, out);
    return 0;
  });
}

/** Mode and time of a directory of ours that has the working mode; others keep theirs. */
int FinishOne(int root, const DirectoryOrder& order, uint32_t working, DirectorySync& sync) {
  const UniqueFd fd(OpenBeneath(root, order.path.c_str(), O_RDONLY | O_DIRECTORY, 0));
  struct stat stat;
  if (fd.get() < 0 || ::fstat(fd.get(), &stat) < 0) return -errno;
  // A group that this system hands down stays so; the peer has no say in it.
  const uint32_t group = stat.st_mode & S_ISGID;
  if (((stat.st_mode & 07777) ^ group) == working && stat.st_uid == ::geteuid()) {
    if (::fchmod(fd.get(), (order.mode & 0777) | group) < 0) return -errno;
    if (::futimens(fd.get(), order.times) < 0) return -errno;
  }
  return sync.Sync(fd.get());
}

// openat2(2), fstat(2), fchmod(2) and futimens(2) where the mode is `working` (setgid aside) and
// the owner is us, fsync(2) or one syncfs(2) of all, close(2) for each directory that `plan` names,
// in its order. A record of the plan: mode in 4 bytes, seconds in 8 and nanoseconds in 4 of the
// last change, length of the path in 2, the path. The result: 0 or -errno in 4 bytes for each.
// finishDirectories(directory: number, plan: Uint8Array, working: number): Promise<Uint8Array |
// number>
napi_value FinishDirectories(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const PlannedCall call = Planned(args);
  const auto working = static_cast<uint32_t>(args.Int32(2));
  if (args.failed()) return nullptr;
  return RunForBytes(env, [call, working](std::string& out) -> int64_t {
    PlanReader reader(call.plan);
    std::vector<DirectoryOrder> orders;
    if (!ReadOrders(reader, true, orders)) return -EINVAL;
    DirectorySync sync(call.directory, orders.size());
    for (DirectoryOrder& order : orders)
      order.result = FinishOne(call.directory, order, working, sync);
    AppendResults(orders, sync.Finish(), out);
    return 0;
  });
}

}  // namespace

void ExportDirectoryBatchCalls(napi_env env, napi_value exports) {
  Export(env, exports, "listDirectory", ListDirectory);
  Export(env, exports, "listDirectories", ListDirectories);
  Export(env, exports, "makeDirectories", MakeDirectories);
  Export(env, exports, "finishDirectories", FinishDirectories);
}

}  // namespace sockeye
