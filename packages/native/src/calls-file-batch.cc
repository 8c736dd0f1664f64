// Calls that do the same to many small files of one directory in one go. Each file alone would be
// five to nine ways to the pool and back, which cost more than its system calls, and an fsync, of
// which a disk does some hundred a second.
#include <stdio.h>
#include <sys/file.h>

#include <vector>

#include "file-batch.h"

namespace sockeye {
namespace {

/** A file as it was described when its directory was listed. */
struct ReadOrder {
  uint64_t size, inode;
  int64_t mtime_ns;
  std::string name;

  bool Is(const struct stat& stat) const {
    return S_ISREG(stat.st_mode) && uint64_t(stat.st_size) == size && stat.st_ino == inode &&
           MtimeNs(stat) == mtime_ns;
  }
};

/** Reads a file that is, before and after, what the order says: 0, or -errno; ESTALE if it isn't.
 */
int ReadWhole(int directory, const ReadOrder& order, char* target) {
  const UniqueFd file(
      OpenBeneath(directory, order.name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0));
  if (file.get() < 0) return -errno;
  struct stat stat;
  if (::fstat(file.get(), &stat) < 0) return -errno;
  if (!order.Is(stat)) return -ESTALE;
  // Who writes can put the time back; nobody can do that to this one.
  const int64_t ctime_ns = CtimeNs(stat);
  for (size_t at = 0; at < order.size;) {
    const ssize_t count = Retry(
        [&] { return ::pread(file.get(), target + at, order.size - at, static_cast<off_t>(at)); });
    if (count < 0) return -errno;
    if (count == 0) return -ESTALE;
    at += static_cast<size_t>(count);
  }
  if (::fstat(file.get(), &stat) < 0) return -errno;
  return order.Is(stat) && CtimeNs(stat) == ctime_ns ? 0 : -ESTALE;
}

// openat2(2), fstat(2), pread(2), fstat(2), close(2) of each file that `plan` names in a directory
// below another. A record of the plan: size in 4 bytes, inode and time of change in nanoseconds in
// 8, length of the name in 2, the name. The result: 0 or -errno in
// 4 bytes for each, then room for each one's content; ESTALE for a file that isn't as described.
// readFiles(directory: number, path: string, plan: Uint8Array): Promise<Uint8Array | number>
napi_value ReadFiles(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int directory = args.Int32(0);
  std::string path = Name(args, 1);
  const Bytes plan = args.View(2);
  if (args.failed()) return nullptr;
  return RunForBytes(
      env,
      [=, plan = std::string(reinterpret_cast<char*>(plan.data), plan.size)](
          std::string& out) -> int64_t {
        PlanReader reader(plan);
        std::vector<ReadOrder> orders;
        size_t bytes = 0;
        while (reader.more()) {
          ReadOrder order = {reader.Number(4), reader.Number(8), int64_t(reader.Number(8)),
                             reader.Name()};
          bytes += order.size;
          orders.push_back(std::move(order));
        }
        // More than any caller asks for, so that no plan takes all memory.
        if (reader.failed() || bytes > 64 * 1024 * 1024) return -EINVAL;
        const UniqueFd parent(OpenBeneath(directory, path.c_str(), O_RDONLY | O_DIRECTORY, 0));
        if (parent.get() < 0) return -errno;
        // The results' place; each is known once its content was read behind all of them.
        out.resize(4 * orders.size() + bytes);
        size_t at = 4 * orders.size();
        for (size_t i = 0; i < orders.size(); i++) {
          const auto result =
              static_cast<uint32_t>(ReadWhole(parent.get(), orders[i], out.data() + at));
          for (size_t byte = 0; byte < 4; byte++)
            out[4 * i + byte] = static_cast<char>(result >> 8 * byte);
          at += orders[i].size;
        }
        return 0;
      });
}

/** A small file on its way under its name. */
struct PutOrder {
  uint32_t mode;
  struct timespec times[2];
  std::string temporary, name;
  std::string_view content;
  UniqueFd file = UniqueFd();
  int result = 0;
};

/** Content and metadata under the temporary name. */
int WriteWhole(int directory, PutOrder& order) {
  struct stat stat;
  if (::fstatat(directory, order.name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) == 0) return -EEXIST;
  order.file =
      UniqueFd(OpenBeneath(directory, order.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600));
  const int fd = order.file.get();
  if (fd < 0) return -errno;
  // Another transfer of the same file was quicker and goes on in what we just made.
  if (::flock(fd, LOCK_EX | LOCK_NB) < 0) return -EEXIST;
  int error = 0;
  for (size_t at = 0; at < order.content.size() && error == 0;) {
    const ssize_t count = Retry([&] {
      return ::pwrite(fd, order.content.data() + at, order.content.size() - at,
                      static_cast<off_t>(at));
    });
    if (count < 0)
      error = errno;
    else
      at += static_cast<size_t>(count);
  }
  if (error == 0 && ::fchmod(fd, order.mode) < 0) error = errno;
  if (error == 0 && ::futimens(fd, order.times) < 0) error = errno;
  // Who calls removes what is left, once: a second time the name may be another transfer's.
  return -error;
}

/** Makes the files' contents durable; a file that fails says so in its result. */
void SyncFiles(int directory, std::vector<PutOrder>& orders) {
  size_t written = 0;
  for (const PutOrder& order : orders) written += order.result == 0;
#ifdef __linux__
  const bool together = written >= kSyncAllFiles && CanSyncAll(directory);
  const bool failed = together && ::syncfs(directory) < 0;
  const int error = failed ? -errno : 0;
#else
  const bool together = false;
  const int error = 0;
#endif
  for (PutOrder& order : orders) {
    if (order.result != 0) continue;
    const int fd = order.file.get();
    if (!together) {
      order.result = Retry([&] { return ::fsync(fd); }) < 0 ? -errno : 0;
      continue;
    }
    order.result = error;
#ifdef __linux__
    // Before Linux 5.8 syncfs kept a failed write-back to itself; this tells of the file's own.
    constexpr unsigned kWait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (error == 0 && ::sync_file_range(fd, 0, 0, kWait) < 0) order.result = -errno;
#endif
  }
}

int RenameNew(int directory, const PutOrder& order) {
#ifdef __linux__
  const int64_t result = ::syscall(SYS_renameat2, directory, order.temporary.c_str(), directory,
                                   order.name.c_str(), RENAME_NOREPLACE);
  return result < 0 ? -errno : 0;
#else
  return -ENOSYS;
#endif
}

/** The order of safety.md 16 for all of them: contents, sync, names, fsync of the directory. */
void PutAll(int directory, std::vector<PutOrder>& orders) {
  for (PutOrder& order : orders) order.result = WriteWhole(directory, order);
  SyncFiles(directory, orders);
  for (PutOrder& order : orders) {
    const bool is_written = order.result == 0;
    if (is_written) order.result = RenameNew(directory, order);
    if (order.result == 0) continue;
    // EEXIST of an unwritten one: somebody else's file has the temporary name.
    const bool is_ours = order.file.get() >= 0 && (is_written || order.result != -EEXIST);
    if (is_ours) ::unlinkat(directory, order.temporary.c_str(), 0);
  }
  if (Retry([&] { return ::fsync(directory); }) == 0) return;
  const int error = errno;
  for (PutOrder& order : orders)
    if (order.result == 0) order.result = -error;
}

// fstatat(2), openat2(2), flock(2), pwrite(2), fchmod(2), futimens(2) of each file that `plan`
// brings; fsync(2) of each or syncfs(2); renameat2(2) of each, to names that are free; fsync(2) of
// the directory below another that they are in. A record of the plan: size and mode in 4 bytes,
// seconds in 8 and nanoseconds in 4 of the last change, the temporary and the final name with their
// lengths in 2 each, the content. The result: 0 or -errno in 4 bytes for each; EEXIST where a name
// is taken. putFiles(directory: number, path: string, plan: Uint8Array): Promise<Uint8Array |
// number>
napi_value PutFiles(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int directory = args.Int32(0);
  std::string path = Name(args, 1);
  const Bytes plan = args.View(2);
  if (args.failed()) return nullptr;
  return RunForBytes(
      env,
      [=, plan = std::string(reinterpret_cast<char*>(plan.data), plan.size)](
          std::string& out) -> int64_t {
        PlanReader reader(plan);
        std::vector<PutOrder> orders;
        while (reader.more()) {
          const size_t size = reader.Number(4);
          PutOrder order = {};
          order.mode = static_cast<uint32_t>(reader.Number(4)) & 0777;
          order.times[0].tv_nsec = UTIME_OMIT;
          order.times[1].tv_sec = static_cast<time_t>(reader.Number(8));
          order.times[1].tv_nsec = static_cast<long>(reader.Number(4));
          order.temporary = reader.Name();
          order.name = reader.Name();
          order.content = reader.Take(size);
          orders.push_back(std::move(order));
        }
        if (reader.failed()) return -EINVAL;
        const UniqueFd parent(OpenBeneath(directory, path.c_str(), O_RDONLY | O_DIRECTORY, 0));
        if (parent.get() < 0) return -errno;
        PutAll(parent.get(), orders);
        for (const PutOrder& order : orders) Append(out, static_cast<uint64_t>(order.result), 4);
        return 0;
      });
}

}  // namespace

void ExportFileBatchCalls(napi_env env, napi_value exports) {
  Export(env, exports, "readFiles", ReadFiles);
  Export(env, exports, "putFiles", PutFiles);
}

}  // namespace sockeye
