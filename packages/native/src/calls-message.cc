// recvmsg, sendmsg and their batch forms: scattered buffers, ancillary data, addresses.
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "calls.h"

namespace sockeye {
namespace {

// One more than the kernel takes, so that it is the kernel that says EMSGSIZE.
constexpr uint32_t kMaxVector = IOV_MAX + 1;

// The Uint8Arrays of an array as an iovec; `skip` bytes of the first are left out. All elements are
// fetched before the first pointer is: a getter among them could detach the others.
std::vector<iovec> Vector(Args& args, size_t index, uint32_t skip) {
  std::vector<iovec> vector;
  uint32_t count = 0;
  if (args.failed()) return vector;
  if (napi_get_array_length(args.env(), args.Raw(index), &count) != napi_ok) {
    args.Fail("native call: expected an array of Uint8Array");
    return vector;
  }
  std::vector<napi_value> elements(std::min(count, kMaxVector));
  for (uint32_t i = 0; i < elements.size(); i++) {
    if (napi_get_element(args.env(), args.Raw(index), i, &elements[i]) != napi_ok) {
      args.Fail("native call: expected an array of Uint8Array");
      return vector;
    }
  }
  vector.reserve(elements.size());
  for (size_t i = 0; i < elements.size() && !args.failed(); i++) {
    const Bytes bytes = args.BytesOf(elements[i]);
    const size_t offset = i == 0 ? std::min<size_t>(skip, bytes.size) : 0;
    vector.push_back({bytes.data + offset, bytes.size - offset});
  }
  return vector;
}

// ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);
// `meta` gets the control length and the message's flags. Descriptors that arrive are
// close-on-exec. recvmsg(fd: number, buffers: Uint8Array[], control: Uint8Array | null, flags:
// number, addressOut: Uint8Array, meta: Int32Array): number
napi_value Recvmsg(napi_env env, napi_callback_info info) {
  Args args(env, info, 6);
  const int fd = args.Int32(0);
  std::vector<iovec> vector = Vector(args, 1, 0);
  const Bytes control = args.ViewOrNull(2);
  const int flags = args.Int32(3) | MSG_CMSG_CLOEXEC;
  AddressOut address(args.View(4));
  int32_t* meta = args.Words(5, 2);
  if (args.failed()) return nullptr;
  msghdr message{};
  const ssize_t count = Retry([&] {
    message.msg_name = address.pointer();
    message.msg_namelen = address.length;
    message.msg_iov = vector.data();
    message.msg_iovlen = vector.size();
    message.msg_control = control.data;
    message.msg_controllen = control.size;
    return ::recvmsg(fd, &message, flags);
  });
  if (count >= 0) {
    address.length = message.msg_namelen;
    address.Store();
    meta[0] = static_cast<int32_t>(message.msg_controllen);
    meta[1] = message.msg_flags & ~MSG_CMSG_CLOEXEC;
  }
  return Result(env, count);
}

// ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags);
// sendmsg(fd: number, buffers: Uint8Array[], skip: number, control: Uint8Array | null, flags:
// number, address: Uint8Array | null, addressLength: number): number
napi_value Sendmsg(napi_env env, napi_callback_info info) {
  Args args(env, info, 7);
  const int fd = args.Int32(0);
  std::vector<iovec> vector = Vector(args, 1, args.Uint32(2));
  const Bytes control = args.ViewOrNull(3);
  const int flags = args.Int32(4) | MSG_NOSIGNAL;
  const Bytes address = args.ViewOrNull(5);
  const uint32_t length = args.Uint32(6);
  if (!args.failed() && length > address.size) args.FailRange("native call: address length");
  if (args.failed()) return nullptr;
  msghdr message{};
  message.msg_name = address.data;
  message.msg_namelen = length;
  message.msg_iov = vector.data();
  message.msg_iovlen = vector.size();
  message.msg_control = control.size > 0 ? control.data : nullptr;
  message.msg_controllen = control.size;
  return Result(env, Retry([&] { return ::sendmsg(fd, &message, flags); }));
}

constexpr uint32_t kBatch = 64;
// Room for one message's control data in a batch: UDP_GRO's segment size is all that is asked for.
constexpr size_t kBatchControl = CMSG_SPACE(sizeof(int));
constexpr size_t kBatchAddress = 4 + 128;

// Closes the descriptors in an SCM_RIGHTS message: there is room for one, and nobody asked for it.
void CloseDescriptors(const cmsghdr* control) {
  for (size_t at = CMSG_LEN(0); at + sizeof(int) <= control->cmsg_len; at += sizeof(int)) {
    int fd = -1;
    memcpy(&fd, reinterpret_cast<const uint8_t*>(control) + at, sizeof fd);
    ::close(fd);
  }
}

// The segment size that UDP_GRO reports, or 0.
int32_t SegmentSize(msghdr* header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
      CloseDescriptors(control);
      header->msg_flags |= MSG_CTRUNC;
    }
    // SOL_UDP and UDP_GRO, both absent from older headers.
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == 104) {
      int size = 0;
      memcpy(&size, CMSG_DATA(control), sizeof size);
      return size;
    }
  }
  return 0;
}

// What `Recvmmsg` says of each message, in words.
struct BatchWord {
  int32_t bytes, flags, segment_size, port, host, offset;
};
constexpr size_t kBatchWords = sizeof(BatchWord) / sizeof(int32_t);

// An IPv4 sender as two numbers, so that nobody has to read its bytes again; else port -1.
void SetInet(BatchWord& word, const uint8_t* address, uint32_t length) {
  sockaddr_in inet{};
  word.port = -1;
  if (length != sizeof inet) return;
  memcpy(&inet, address, sizeof inet);
  if (inet.sin_family != AF_INET) return;
  word.port = ntohs(inet.sin_port);
  word.host = static_cast<int32_t>(ntohl(inet.sin_addr.s_addr));
}

// Moves the messages together where they fill less than half of their room; says where each lies.
void Pack(BatchWord* words, int count, uint8_t* buffer, uint32_t size) {
  size_t total = 0;
  for (int i = 0; i < count; i++) total += std::min<size_t>(words[i].bytes, size);
  const bool dense = total * 2 >= static_cast<size_t>(count) * size;
  size_t packed = 0;
  for (int i = 0; i < count; i++) {
    const size_t slot = static_cast<size_t>(i) * size;
    const size_t bytes = std::min<size_t>(words[i].bytes, size);
    if (!dense) memmove(buffer + packed, buffer + slot, bytes);
    words[i].offset = static_cast<int32_t>(dense ? slot : packed);
    packed += bytes;
  }
}

// int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec
// *timeout); Message i is received at i * size in `buffer`, its address at i * 132 in `addresses`;
// `meta` gets six words each: bytes, flags, UDP_GRO's segment size or 0, an IPv4 sender's port (of
// another -1) and host, and the offset. With `pack` the messages are moved together where that
// makes the whole less than half as long. recvmmsg(fd: number, buffer: Uint8Array, size: number,
// count: number, flags: number, addresses: Uint8Array, meta: Int32Array, pack: boolean): number
napi_value Recvmmsg(napi_env env, napi_callback_info info) {
  Args args(env, info, 8);
  const int fd = args.Int32(0);
  const Bytes buffer = args.View(1);
  const uint32_t size = args.Uint32(2);
  const uint32_t count = std::min(args.Uint32(3), kBatch);
  const int flags = args.Int32(4) | MSG_CMSG_CLOEXEC;
  const Bytes addresses = args.View(5);
  int32_t* meta = args.Words(6, count * kBatchWords);
  const bool pack = args.Boolean(7);
  if (!args.failed() &&
      (buffer.size < static_cast<size_t>(size) * count || addresses.size < kBatchAddress * count)) {
    args.FailRange("native call: batch buffers");
  }
  if (args.failed()) return nullptr;
  mmsghdr messages[kBatch];
  iovec vectors[kBatch];
  alignas(cmsghdr) uint8_t controls[kBatch][kBatchControl];
  memset(messages, 0, sizeof(mmsghdr) * count);
  for (uint32_t i = 0; i < count; i++) {
    vectors[i] = {buffer.data + static_cast<size_t>(i) * size, size};
    msghdr& header = messages[i].msg_hdr;
    header.msg_name = addresses.data + i * kBatchAddress + 4;
    header.msg_namelen = kBatchAddress - 4;
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i];
    header.msg_controllen = kBatchControl;
  }
  const int received = Retry([&] { return ::recvmmsg(fd, messages, count, flags, nullptr); });
  const int error = errno;
  auto* words = reinterpret_cast<BatchWord*>(meta);
  for (int i = 0; i < received; i++) {
    msghdr& header = messages[i].msg_hdr;
    uint8_t* address = addresses.data + i * kBatchAddress;
    memcpy(address, &header.msg_namelen, sizeof(uint32_t));
    words[i].bytes = static_cast<int32_t>(messages[i].msg_len);
    words[i].segment_size = SegmentSize(&header);
    words[i].flags = header.msg_flags & ~MSG_CMSG_CLOEXEC;
    words[i].offset = static_cast<int32_t>(i * size);
    SetInet(words[i], address + 4, header.msg_namelen);
  }
  if (pack && received > 0) Pack(words, received, buffer.data, size);
  errno = error;
  return Result(env, received);
}

// Has the kernel cut the message into datagrams of `size` bytes (UDP_SEGMENT, udp(7)).
void SetSegment(msghdr& message, uint8_t* control, uint16_t size) {
  memset(control, 0, CMSG_SPACE(sizeof size));
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(sizeof size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = 103;
  header->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(header), &size, sizeof size);
}

// What `Sendmmsg` is told of each message, in words.
struct SendWord {
  int32_t offset, bytes, segment_size, address_length, port, host;
};
constexpr size_t kSendWords = sizeof(SendWord) / sizeof(int32_t);

// int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
// Six words a message: offset and length in `buffer`, UDP_SEGMENT's size or 0, the length of its
// address, which lies at i * 132 in `addresses` (0: none; -1: the next two words are an IPv4
// address), port and host. sendmmsg(fd: number, buffer: Uint8Array, words: Int32Array, count:
// number, flags: number, addresses: Uint8Array): number
napi_value Sendmmsg(napi_env env, napi_callback_info info) {
  Args args(env, info, 6);
  const int fd = args.Int32(0);
  const Bytes buffer = args.View(1);
  const uint32_t count = std::min(args.Uint32(3), kBatch);
  const auto* words = reinterpret_cast<SendWord*>(args.Words(2, count * kSendWords));
  const int flags = args.Int32(4) | MSG_NOSIGNAL;
  const Bytes addresses = args.View(5);
  if (!args.failed() && addresses.size < kBatchAddress * count) {
    args.FailRange("native call: batch addresses");
  }
  if (args.failed()) return nullptr;
  mmsghdr messages[kBatch];
  iovec vectors[kBatch];
  sockaddr_in inets[kBatch];
  alignas(cmsghdr) uint8_t controls[kBatch][CMSG_SPACE(sizeof(uint16_t))];
  memset(messages, 0, sizeof(mmsghdr) * count);
  for (uint32_t i = 0; i < count; i++) {
    const SendWord& word = words[i];
    const auto offset = static_cast<uint32_t>(word.offset);
    const auto length = static_cast<uint32_t>(word.bytes);
    if (offset > buffer.size || length > buffer.size - offset ||
        word.address_length > static_cast<int32_t>(kBatchAddress)) {
      args.FailRange("native call: a message lies outside its buffer");
      return nullptr;
    }
    vectors[i] = {buffer.data + offset, length};
    msghdr& message = messages[i].msg_hdr;
    message.msg_iov = &vectors[i];
    message.msg_iovlen = 1;
    if (word.address_length < 0) {
      inets[i] = {};
      inets[i].sin_family = AF_INET;
      inets[i].sin_port = htons(static_cast<uint16_t>(word.port));
      inets[i].sin_addr.s_addr = htonl(static_cast<uint32_t>(word.host));
      message.msg_name = &inets[i];
      message.msg_namelen = sizeof inets[i];
    } else if (word.address_length > 0) {
      message.msg_name = addresses.data + i * kBatchAddress;
      message.msg_namelen = static_cast<uint32_t>(word.address_length);
    }
    if (word.segment_size > 0) {
      SetSegment(message, controls[i], static_cast<uint16_t>(word.segment_size));
    }
  }
  return Result(env, Retry([&] { return ::sendmmsg(fd, messages, count, flags); }));
}

}  // namespace

void ExportMessageCalls(napi_env env, napi_value exports) {
  Export(env, exports, "recvmsg", Recvmsg);
  Export(env, exports, "sendmsg", Sendmsg);
  Export(env, exports, "recvmmsg", Recvmmsg);
  Export(env, exports, "sendmmsg", Sendmmsg);
}

}  // namespace sockeye
