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

// Whether the socket leaves it to each send how it is cut: no UDP_SEGMENT and no UDP_CORK is set.
bool MayBeSegmented(int fd) {
  for (const int name : {103, 1}) {
    int value = 0;
    socklen_t length = sizeof value;
    if (::getsockopt(fd, IPPROTO_UDP, name, &value, &length) != 0 || value != 0) return false;
  }
  return true;
}

// What `Sendmmsg` is told of each message, in words.
struct SendWord {
  int32_t offset, bytes, segment_size, address_length, port, host;
};
constexpr size_t kSendWords = sizeof(SendWord) / sizeof(int32_t);

// int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
// Six words a message: offset and length in `buffer`, UDP_SEGMENT's size or 0, the length of its
// address, which lies at i * 132 in `addresses` (0: none; -1: the next two words are an IPv4
// address), port and host. -EINVAL, with nothing sent, for a segment size where the socket has its
// own (UDP_SEGMENT) or collects (UDP_CORK). sendmmsg(fd: number, buffer: Uint8Array, words:
// Int32Array, count: number, flags: number, addresses: Uint8Array): number
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
  bool segmented = false;
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
      segmented = true;
    }
  }
  if (segmented && !MayBeSegmented(fd)) return Int(env, -EINVAL);
  return Result(env, Retry([&] { return ::sendmmsg(fd, messages, count, flags); }));
}

// Datagrams of one socket, each with a result of its own; nothing is gained by fewer than this in a
// segmented send, which whoever captures on this machine sees as one. Arbitrary.
constexpr uint32_t kLeastSegments = 8;
// UDP_MAX_SEGMENTS of linux/udp.h (128 on newer kernels), and the largest UDP payload over IPv4.
constexpr uint32_t kMostSegments = 64;
constexpr uint32_t kMostSegmentedBytes = 65507;

// What `SendDatagrams` is told of each, in words, and what it says.
struct DatagramWord {
  int32_t offset, bytes, address_offset, address_length, result;
};
constexpr size_t kDatagramWords = sizeof(DatagramWord) / sizeof(int32_t);

bool LiesIn(const Bytes& buffer, int32_t offset, int32_t bytes) {
  const auto from = static_cast<uint32_t>(offset);
  return from <= buffer.size && static_cast<uint32_t>(bytes) <= buffer.size - from;
}

// How many of `count` datagrams, from the first on, can leave as one segmented send: those of its
// size to its address; only the last may be shorter.
uint32_t SegmentRun(const DatagramWord* words, uint32_t count, const uint8_t* data) {
  const DatagramWord& first = words[0];
  uint32_t total = static_cast<uint32_t>(first.bytes);
  uint32_t run = 1;
  while (first.bytes > 0 && run < std::min(count, kMostSegments)) {
    const DatagramWord& next = words[run];
    total += static_cast<uint32_t>(next.bytes);
    if (next.bytes == 0 || next.bytes > first.bytes || total > kMostSegmentedBytes ||
        next.address_length != first.address_length ||
        memcmp(data + next.address_offset, data + first.address_offset,
               static_cast<size_t>(first.address_length)) != 0) {
      break;
    }
    run++;
    if (next.bytes < first.bytes) break;
  }
  return run;
}

// Sends a run as one (UDP_SEGMENT). 0, or the errno of what is to be said of the first; EAGAIN
// where they have to leave one by one.
int SendSegmented(int fd, DatagramWord* words, uint32_t run, uint8_t* data) {
  iovec vectors[kMostSegments];
  for (uint32_t i = 0; i < run; i++) {
    vectors[i] = {data + words[i].offset, static_cast<size_t>(words[i].bytes)};
  }
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))];
  msghdr message{};
  message.msg_name = words[0].address_length > 0 ? data + words[0].address_offset : nullptr;
  message.msg_namelen = static_cast<uint32_t>(words[0].address_length);
  message.msg_iov = vectors;
  message.msg_iovlen = run;
  SetSegment(message, control, static_cast<uint16_t>(words[0].bytes));
  if (Retry([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); }) >= 0) return 0;
  // Too large for the path, no checksum, no room for all of them: for each by itself it may do.
  const bool apart = errno == EIO || errno == EINVAL || errno == EMSGSIZE || errno == EAGAIN ||
                     errno == ENOBUFS || errno == ENOMEM;
  return apart ? EAGAIN : errno;
}

// Many datagrams of one socket in one crossing, in their order: five words each, [offset, length,
// offset and length of the address, result], all offsets in `buffer`. A failure is of its datagram
// alone; what follows an EAGAIN has EAGAIN. A `sendto` each, as the errors of sendmmsg(2) get lost
// behind the first datagram and it takes as long; with `segment` (UDP) a long run of one size to
// one address leaves as one.
// sendDatagrams(fd: number, words: Int32Array, count: number, buffer: Uint8Array, segment:
// boolean): void
napi_value SendDatagrams(napi_env env, napi_callback_info info) {
  Args args(env, info, 5);
  const int fd = args.Int32(0);
  const uint32_t count = args.Uint32(2);
  auto* words = reinterpret_cast<DatagramWord*>(args.Words(1, count * kDatagramWords));
  const Bytes buffer = args.View(3);
  bool segment = args.Boolean(4) && count >= kLeastSegments;
  if (args.failed()) return nullptr;
  for (uint32_t i = 0; i < count; i++) {
    if (LiesIn(buffer, words[i].offset, words[i].bytes) &&
        LiesIn(buffer, words[i].address_offset, words[i].address_length)) {
      continue;
    }
    args.FailRange("native call: a datagram lies outside the buffer");
    return nullptr;
  }
  bool asked = false;
  uint32_t apart = 0;
  for (uint32_t i = 0; i < count;) {
    DatagramWord& word = words[i];
    uint32_t run = 1;
    if (segment && i >= apart) run = SegmentRun(&word, count - i, buffer.data);
    if (run >= kLeastSegments && !asked) {
      asked = true;
      segment = MayBeSegmented(fd);
    }
    if (run >= kLeastSegments && segment) {
      const int error = SendSegmented(fd, &word, run, buffer.data);
      if (error == 0) {
        for (uint32_t k = 0; k < run; k++) words[i + k].result = words[i + k].bytes;
        i += run;
      } else if (error == EAGAIN) {
        apart = i + run;
      } else {
        word.result = -error;
        i++;
      }
      continue;
    }
    const ssize_t sent = Retry([&] {
      return Transmit(fd, buffer.data + word.offset, static_cast<size_t>(word.bytes), MSG_NOSIGNAL,
                      word.address_length > 0 ? buffer.data + word.address_offset : nullptr,
                      static_cast<socklen_t>(word.address_length));
    });
    word.result = sent < 0 ? -errno : static_cast<int32_t>(sent);
    i++;
    if (sent >= 0 || errno != EAGAIN) continue;
    for (; i < count; i++) words[i].result = -EAGAIN;
  }
  return nullptr;
}

}  // namespace

void ExportMessageCalls(napi_env env, napi_value exports) {
  Export(env, exports, "recvmsg", Recvmsg);
  Export(env, exports, "sendmsg", Sendmsg);
  Export(env, exports, "recvmmsg", Recvmmsg);
  Export(env, exports, "sendmmsg", Sendmmsg);
  Export(env, exports, "sendDatagrams", SendDatagrams);
}

}  // namespace sockeye
