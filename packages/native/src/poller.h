// The event engine: one edge-triggered epoll set for each copy of the library in an environment,
// watched by one uv_poll_t.
//
// Theory of operation. JavaScript gives every watched descriptor a slot. When the set wakes the
// loop, the poller reads the events that wait, turns each into a record and crosses into
// JavaScript once for the whole batch. A slot's two control words, memory that both sides see,
// say what is to happen before the crossing:
//
//   mode kNotify   nothing; the record carries the event bits
//   mode kReceive  recv up to `want` bytes into the slab; the record carries where they lie
//   mode kAccept   accept one connection; the record carries its descriptor and address
//
// kReceive and kAccept are armed only while an operation is parked in JavaScript, so no byte is
// ever taken from the kernel that nobody asked for: flow control needs nothing else, an idle
// connection costs no buffer, and a timeout or an abort, which disarms on the same thread, cannot
// lose data. They hold for one event: the poller disarms what it served.
//
// A record is four words: slot, event bits, result (bytes, descriptor, or -errno), slab offset.
// Records and bytes are valid until the callback and the microtasks after it have run.
//
// The generation in epoll's data drops an event that was fetched before its slot was given to
// another descriptor.
#pragma once

#include <node_api.h>
#include <sys/epoll.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace sockeye {

class Environment;

enum Mode : int32_t { kNotify = 0, kReceive = 1, kAccept = 2 };

// Words of the header that both sides see.
enum Header : int32_t { kInBatch = 0, kFlushRequested = 1, kHeaderWords = 4 };

// Set in a record's event bits where the poller made the call itself (no EPOLL bit uses it).
constexpr uint32_t kServed = 1u << 24;

// The most that one crossing carries. A receive gives its buffer back to the processor that made
// it; when some 64 of those wait the kernel interrupts that processor, which is dear in a virtual
// machine (1.2 % of an echo of 64 connections). With fewer at a time the other side collects them
// unasked.
constexpr size_t kBatch = 32;
constexpr size_t kRecordWords = 4;
constexpr size_t kControlWords = 2;
// One receive takes at most 64 KiB; four of the largest fit before a crossing. Larger slabs were
// not faster: what counts is that it stays in the second-level cache.
constexpr size_t kReceiveBytes = 64 * 1024;
constexpr size_t kSlabBytes = 4 * kReceiveBytes;
// An accepted peer's address lies in the slab: length (4 bytes), then the sockaddr.
constexpr size_t kAddressBytes = 4 + 128;

/** Memory that JavaScript views and the poller writes; lives until both have let go of it. */
struct Shared {
  explicit Shared(size_t bytes);
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  uint8_t* data;
  size_t bytes;
};

class Poller {
 public:
  using Closed = void (*)(void* context);

  static Poller* Start(napi_env env, Environment* environment, napi_value on_batch,
                       napi_value on_flush, int* error);
  ~Poller();

  int Watch(uint32_t slot, int fd, uint32_t events);
  int Rewatch(uint32_t slot, uint32_t events);
  int Unwatch(uint32_t slot);
  void SetRef(bool ref);
  void RequestFlush();
  /** Room for `slots` slots; the old control words are copied. Returns the new ArrayBuffer. */
  napi_value Grow(uint32_t slots);
  napi_value View(const std::shared_ptr<Shared>& memory);
  size_t slots() const { return slots_.size(); }
  void Close(Closed closed, void* context);

  std::shared_ptr<Shared> header;
  std::shared_ptr<Shared> records;
  std::shared_ptr<Shared> slab;

 private:
  struct Slot {
    int fd = -1;
    uint32_t generation = 0;
  };

  Poller(napi_env env, Environment* environment) : env_(env), environment_(environment) {}
  static void OnPoll(uv_poll_t* handle, int status, int events);
  static void OnPrepare(uv_prepare_t* handle);
  static void OnClose(uv_handle_t* handle);
  void Wake();
  void Serve(uint32_t slot, uint32_t events);
  void ServeReceive(uint32_t slot, uint32_t events, uint32_t want);
  void ServeAccept(uint32_t slot, uint32_t events);
  bool RecordServed(uint32_t slot, uint32_t events, ssize_t result);
  void Record(uint32_t slot, uint32_t events, int32_t result, uint32_t offset);
  void Deliver();
  void Flush();
  bool CallBack(napi_ref callback, int32_t argument);
  int32_t* Control(uint32_t slot) {
    return reinterpret_cast<int32_t*>(control_->data) + slot * kControlWords;
  }
  int32_t* HeaderWords() { return reinterpret_cast<int32_t*>(header->data); }

  napi_env env_;
  Environment* environment_;
  int epoll_ = -1;
  uv_poll_t poll_;
  uv_prepare_t prepare_;
  // Keeps the loop from sleeping before the next round of prepare callbacks.
  uv_idle_t idle_;
  int open_handles_ = 0;
  bool closing_ = false;
  Closed closed_ = nullptr;
  void* closed_context_ = nullptr;
  napi_ref on_batch_ = nullptr;
  napi_ref on_flush_ = nullptr;
  napi_ref resource_ = nullptr;
  napi_async_context context_ = nullptr;
  std::shared_ptr<Shared> control_;
  std::vector<Slot> slots_;
  size_t record_count_ = 0;
  size_t slab_used_ = 0;
};

}  // namespace sockeye
