// Packet capture: the ring of packet blocks that the kernel shares with us (TPACKET_V3), and the
// giving up of capabilities.
//
// The ring stays here. JavaScript gets copies of whole blocks, so that no pointer into the ring is
// ever in its hands and a block is the kernel's again before the call returns.
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>

#include "calls.h"

namespace sockeye {
namespace {

#ifdef __linux__

constexpr napi_type_tag kRingTag = {0x9d3f0a6c51b24e87, 0xb7c2e4f80d196a35};

class PacketRing {
 public:
  PacketRing(void* base, size_t block_bytes, size_t blocks)
      : base_(static_cast<uint8_t*>(base)), block_bytes_(block_bytes), blocks_(blocks) {}
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;
  ~PacketRing() { Unmap(); }

  void Unmap() {
    if (base_ != nullptr) ::munmap(base_, block_bytes_ * blocks_);
    base_ = nullptr;
  }
  bool mapped() const { return base_ != nullptr; }
  size_t block_bytes() const { return block_bytes_; }

  // Copies the next block that the kernel has filled, and gives it back. 0: there is none.
  size_t Take(uint8_t* target) {
    uint8_t* block = base_ + next_ * block_bytes_;
    auto& header = reinterpret_cast<tpacket_block_desc*>(block)->hdr.bh1;
    const uint32_t status = __atomic_load_n(&header.block_status, __ATOMIC_ACQUIRE);
    if ((status & TP_STATUS_USER) == 0) return 0;
    const size_t length = std::min<size_t>(header.blk_len, block_bytes_);
    memcpy(target, block, length);
    __atomic_store_n(&header.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    next_ = (next_ + 1) % blocks_;
    return length;
  }

 private:
  uint8_t* base_;
  size_t block_bytes_;
  size_t blocks_;
  size_t next_ = 0;
};

PacketRing* RingOf(Args& args, size_t index) {
  if (args.failed()) return nullptr;
  bool matches = false;
  void* ring = nullptr;
  napi_valuetype type = napi_undefined;
  napi_typeof(args.env(), args.Raw(index), &type);
  if (type == napi_external)
    napi_check_object_type_tag(args.env(), args.Raw(index), &kRingTag, &matches);
  if (!matches || napi_get_value_external(args.env(), args.Raw(index), &ring) != napi_ok) {
    args.Fail("native call: expected a packet ring");
    return nullptr;
  }
  return static_cast<PacketRing*>(ring);
}

// void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
// The ring of a packet socket with PACKET_RX_RING set; unmapped when it is collected at the latest.
// While it is mapped the socket lives on, closed or not.
// packetRingMap(fd: number, blockBytes: number, blocks: number): PacketRing | number
napi_value PacketRingMap(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  const int fd = args.Int32(0);
  const size_t block_bytes = args.Uint32(1);
  const size_t blocks = args.Uint32(2);
  if (!args.failed() && (block_bytes < sizeof(tpacket_block_desc) || blocks == 0))
    args.FailRange("native call: ring size");
  if (args.failed()) return nullptr;
  void* base = ::mmap(nullptr, block_bytes * blocks, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return Int(env, -errno);
  auto* ring = new PacketRing(base, block_bytes, blocks);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<PacketRing*>(data); };
  napi_value result = nullptr;
  if (napi_create_external(env, ring, finalize, nullptr, &result) != napi_ok) {
    delete ring;
    return nullptr;
  }
  napi_type_tag_object(env, result, &kRingTag);
  return result;
}

// Copies the next filled block as the kernel laid it out (struct tpacket_block_desc and its
// packets) and hands the block back. `buffer` has room for a whole one. 0: none is filled.
// packetRingTake(ring: PacketRing, buffer: Uint8Array): number
napi_value PacketRingTake(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  PacketRing* ring = RingOf(args, 0);
  const Bytes buffer = args.View(1);
  if (!args.failed() && buffer.size < ring->block_bytes())
    args.FailRange("native call: buffer smaller than a block");
  if (args.failed()) return nullptr;
  if (!ring->mapped()) return Int(env, -EBADF);
  return Int(env, static_cast<int32_t>(ring->Take(buffer.data)));
}

// int munmap(void *addr, size_t length);
// packetRingUnmap(ring: PacketRing): void
napi_value PacketRingUnmap(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  PacketRing* ring = RingOf(args, 0);
  if (!args.failed()) ring->Unmap();
  return nullptr;
}

// int capset(cap_user_header_t hdrp, const cap_user_data_t datap);
// Gives a capability up in the effective, permitted, inheritable, ambient and bounding sets of the
// calling thread; capabilities(7) has them per thread.
// dropCapability(capability: number): number
napi_value DropCapability(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const uint32_t capability = args.Uint32(0);
  if (!args.failed() && capability >= 64) args.FailRange("native call: capability");
  if (args.failed()) return nullptr;
  // Both fail where the set doesn't have it or may not be changed, which is no worse than before.
  ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, capability, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return Int(env, -errno);
  const uint32_t kept = ~(1u << (capability % 32));
  __user_cap_data_struct& word = sets[capability / 32];
  word.effective &= kept;
  word.permitted &= kept;
  word.inheritable &= kept;
  return Result(env, ::syscall(SYS_capset, &header, sets));
}

#else

// packetRingMap(fd: number, blockBytes: number, blocks: number): PacketRing | number
napi_value PacketRingMap(napi_env env, napi_callback_info info) { return Int(env, -ENOSYS); }

// packetRingTake(ring: PacketRing, buffer: Uint8Array): number
napi_value PacketRingTake(napi_env env, napi_callback_info info) { return Int(env, -ENOSYS); }

// packetRingUnmap(ring: PacketRing): void
napi_value PacketRingUnmap(napi_env env, napi_callback_info info) { return nullptr; }

// dropCapability(capability: number): number
napi_value DropCapability(napi_env env, napi_callback_info info) { return Int(env, -ENOSYS); }

#endif

}  // namespace

void ExportCaptureCalls(napi_env env, napi_value exports) {
  Export(env, exports, "packetRingMap", PacketRingMap);
  Export(env, exports, "packetRingTake", PacketRingTake);
  Export(env, exports, "packetRingUnmap", PacketRingUnmap);
  Export(env, exports, "dropCapability", DropCapability);
}

}  // namespace sockeye
