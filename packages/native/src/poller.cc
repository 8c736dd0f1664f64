#include "poller.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "calls.h"

namespace sockeye {

namespace {

// What one wake-up takes from the set; more waits for the loop's next round, so that timers and
// other handles get their turn.
constexpr int kEvents = 512;
// How often a wake-up looks for more before the loop goes on.
constexpr int kWakeRounds = 4;
// Rounds of sends that one batch may set off before the loop goes on.
constexpr int kFlushRounds = 8;

napi_value Throw(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

}  // namespace

Shared::Shared(size_t size)
    : data(static_cast<uint8_t*>(calloc(1, size))), bytes(data == nullptr ? 0 : size) {}

Shared::~Shared() { free(data); }

Poller* Poller::Start(napi_env env, Environment* environment, napi_value on_batch,
                      napi_value on_flush, int* error) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    *error = ENOSYS;
    return nullptr;
  }
  auto* poller = new (std::nothrow) Poller(env, environment);
  if (poller == nullptr) {
    *error = ENOMEM;
    return nullptr;
  }
  poller->header = std::make_shared<Shared>(kHeaderWords * sizeof(int32_t));
  poller->records = std::make_shared<Shared>(kBatch * kRecordWords * sizeof(int32_t));
  poller->slab = std::make_shared<Shared>(kSlabBytes);
  poller->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (poller->epoll_ < 0) {
    *error = errno;
    delete poller;
    return nullptr;
  }
  if (const int status = uv_poll_init(loop, &poller->poll_, poller->epoll_); status != 0) {
    *error = -status;
    delete poller;
    return nullptr;
  }
  uv_prepare_init(loop, &poller->prepare_);
  uv_idle_init(loop, &poller->idle_);
  poller->open_handles_ = 3;
  poller->poll_.data = poller;
  poller->prepare_.data = poller;
  poller->idle_.data = poller;
  napi_value name = nullptr;
  napi_value resource = nullptr;
  napi_create_string_utf8(env, "SOCKEYE", NAPI_AUTO_LENGTH, &name);
  napi_create_object(env, &resource);
  napi_async_init(env, resource, name, &poller->context_);
  napi_create_reference(env, resource, 1, &poller->resource_);
  napi_create_reference(env, on_batch, 1, &poller->on_batch_);
  napi_create_reference(env, on_flush, 1, &poller->on_flush_);
  uv_poll_start(&poller->poll_, UV_READABLE, OnPoll);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poller->poll_));
  return poller;
}

Poller::~Poller() {
  if (epoll_ >= 0) ::close(epoll_);
}

napi_value Poller::View(const std::shared_ptr<Shared>& memory) {
  if (memory->data == nullptr) return Throw(env_, "Cannot start the poller: out of memory");
  auto* keep = new (std::nothrow) std::shared_ptr<Shared>(memory);
  napi_value buffer = nullptr;
  const auto release = [](napi_env, void*, void* hint) {
    delete static_cast<std::shared_ptr<Shared>*>(hint);
  };
  if (keep == nullptr || napi_create_external_arraybuffer(env_, memory->data, memory->bytes,
                                                          release, keep, &buffer) != napi_ok) {
    delete keep;
    return Throw(env_, "Cannot start the poller: this runtime refuses external memory");
  }
  return buffer;
}

napi_value Poller::Grow(uint32_t slots) {
  auto larger = std::make_shared<Shared>(slots * kControlWords * sizeof(int32_t));
  if (larger->data == nullptr) return Throw(env_, "Cannot watch more descriptors: out of memory");
  if (control_ != nullptr) {
    memcpy(larger->data, control_->data, std::min(control_->bytes, larger->bytes));
  }
  napi_value view = View(larger);
  if (view == nullptr) return nullptr;
  control_ = larger;
  if (slots > slots_.size()) slots_.resize(slots);
  return view;
}

int Poller::Watch(uint32_t slot, int fd, uint32_t events) {
  if (slot >= slots_.size()) return EINVAL;
  Slot& entry = slots_[slot];
  if (entry.fd >= 0) return EBUSY;
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.u64 = (static_cast<uint64_t>(entry.generation + 1) << 32) | slot;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return errno;
  entry.generation++;
  entry.fd = fd;
  return 0;
}

int Poller::Rewatch(uint32_t slot, uint32_t events) {
  if (slot >= slots_.size() || slots_[slot].fd < 0) return EINVAL;
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.u64 = (static_cast<uint64_t>(slots_[slot].generation) << 32) | slot;
  return epoll_ctl(epoll_, EPOLL_CTL_MOD, slots_[slot].fd, &event) == 0 ? 0 : errno;
}

int Poller::Unwatch(uint32_t slot) {
  if (slot >= slots_.size() || slots_[slot].fd < 0) return EINVAL;
  const int fd = slots_[slot].fd;
  slots_[slot].fd = -1;
  slots_[slot].generation++;
  int32_t* control = Control(slot);
  control[0] = kNotify;
  control[1] = 0;
  return epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0 ? 0 : errno;
}

void Poller::SetRef(bool ref) {
  if (closing_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (ref) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Poller::RequestFlush() {
  if (closing_) return;
  uv_prepare_start(&prepare_, OnPrepare);
  // Asked for by a prepare callback, the next one comes after the loop has slept: it must not
  // sleep.
  uv_idle_start(&idle_, [](uv_idle_t*) {});
}

void Poller::OnPoll(uv_poll_t* handle, int status, int) {
  if (status == 0) static_cast<Poller*>(handle->data)->Wake();
}

void Poller::OnPrepare(uv_prepare_t* handle) {
  auto* poller = static_cast<Poller*>(handle->data);
  uv_prepare_stop(handle);
  uv_idle_stop(&poller->idle_);
  poller->Flush();
}

void Poller::Wake() {
  // What came while the last events were served is taken at once: a turn of the loop costs two more
  // system calls than epoll_wait.
  for (int round = 0; round < kWakeRounds && !closing_; round++) {
    epoll_event events[kEvents];
    const int count = epoll_wait(epoll_, events, kEvents, 0);
    if (count <= 0) return;
    for (int i = 0; i < count && !closing_; i++) {
      const auto slot = static_cast<uint32_t>(events[i].data.u64);
      const auto generation = static_cast<uint32_t>(events[i].data.u64 >> 32);
      if (slots_[slot].fd < 0 || slots_[slot].generation != generation) continue;
      Serve(slot, events[i].events);
      if (record_count_ == kBatch || slab_used_ + kReceiveBytes > kSlabBytes) Deliver();
    }
    Deliver();
  }
}

void Poller::Serve(uint32_t slot, uint32_t events) {
  int32_t* control = Control(slot);
  if (control[0] == kReceive && (events & ~EPOLLOUT) != 0) {
    ServeReceive(slot, events, static_cast<uint32_t>(control[1]));
  } else if (control[0] == kAccept && (events & ~EPOLLOUT) != 0) {
    ServeAccept(slot, events);
  } else {
    Record(slot, events, 0, 0);
  }
}

void Poller::ServeReceive(uint32_t slot, uint32_t events, uint32_t want) {
  const size_t room = std::min<size_t>(want, kReceiveBytes);
  const ssize_t result =
      Retry([&] { return Receive(slots_[slot].fd, slab->data + slab_used_, room, 0); });
  if (!RecordServed(slot, events, result)) return;
  if (result > 0) slab_used_ += (static_cast<size_t>(result) + 7) & ~size_t{7};
}

void Poller::ServeAccept(uint32_t slot, uint32_t events) {
  uint8_t* address = slab->data + slab_used_;
  socklen_t length = 0;
  const int fd = Retry([&] {
    length = kAddressBytes - 4;
    return accept4(slots_[slot].fd, reinterpret_cast<sockaddr*>(address + 4), &length,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
  });
  if (!RecordServed(slot, events, fd) || fd < 0) return;
  environment_->Own(fd);
  const uint32_t bytes = length;
  memcpy(address, &bytes, sizeof bytes);
  slab_used_ += kAddressBytes + 4;
}

// Records the result of a call that was armed, and disarms. False after an EAGAIN, which leaves it
// armed and reports only what else the event said.
bool Poller::RecordServed(uint32_t slot, uint32_t events, ssize_t result) {
  if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    const uint32_t rest = events & ~static_cast<uint32_t>(EPOLLIN);
    if (rest != 0) Record(slot, rest, 0, 0);
    return false;
  }
  Control(slot)[0] = kNotify;
  Record(slot, events | kServed, result < 0 ? -errno : static_cast<int32_t>(result),
         static_cast<uint32_t>(slab_used_));
  return true;
}

void Poller::Record(uint32_t slot, uint32_t events, int32_t result, uint32_t offset) {
  auto* words = reinterpret_cast<int32_t*>(records->data) + record_count_ * kRecordWords;
  words[0] = static_cast<int32_t>(slot);
  words[1] = static_cast<int32_t>(events);
  words[2] = result;
  words[3] = static_cast<int32_t>(offset);
  record_count_++;
}

void Poller::Deliver() {
  if (record_count_ == 0) return;
  const auto count = static_cast<int32_t>(record_count_);
  HeaderWords()[kInBatch] = 1;
  CallBack(on_batch_, count);
  HeaderWords()[kInBatch] = 0;
  record_count_ = 0;
  slab_used_ = 0;
  Flush();
}

void Poller::Flush() {
  int32_t* words = HeaderWords();
  for (int round = 0; words[kFlushRequested] != 0 && !closing_; round++) {
    if (round == kFlushRounds) {
      RequestFlush();
      return;
    }
    words[kFlushRequested] = 0;
    words[kInBatch] = 1;
    const bool alive = CallBack(on_flush_, 0);
    words[kInBatch] = 0;
    if (!alive) return;
  }
}

// False when JavaScript can't run any more: the environment is being torn down.
bool Poller::CallBack(napi_ref callback, int32_t argument) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
  napi_value function = nullptr;
  napi_value resource = nullptr;
  napi_value count = nullptr;
  napi_get_reference_value(env_, callback, &function);
  napi_get_reference_value(env_, resource_, &resource);
  napi_create_int32(env_, argument, &count);
  const napi_status status =
      napi_make_callback(env_, context_, resource, function, 1, &count, nullptr);
  if (status == napi_pending_exception) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
  return status == napi_ok || status == napi_pending_exception;
}

void Poller::Close(Closed closed, void* context) {
  closing_ = true;
  closed_ = closed;
  closed_context_ = context;
  uv_poll_stop(&poll_);
  uv_prepare_stop(&prepare_);
  uv_idle_stop(&idle_);
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnClose);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), OnClose);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), OnClose);
  for (napi_ref reference : {on_batch_, on_flush_, resource_}) {
    napi_delete_reference(env_, reference);
  }
  napi_async_destroy(env_, context_);
}

void Poller::OnClose(uv_handle_t* handle) {
  auto* poller = static_cast<Poller*>(handle->data);
  if (--poller->open_handles_ == 0) poller->closed_(poller->closed_context_);
}

}  // namespace sockeye
