// What JavaScript says to the poller.
#include "calls.h"
#include "poller.h"

namespace sockeye {
namespace {

// The poller whose number is the first argument.
Poller* Started(Args& args) {
  const uint32_t index = args.Uint32(0);
  const auto& pollers = Environment::Of(args.env())->pollers;
  if (args.failed()) return nullptr;
  if (index < pollers.size()) return pollers[index];
  args.FailRange("native call: no such poller");
  return nullptr;
}

// Starts a poller: onBatch(count) after each wake-up, onFlush() when a flush was requested and the
// turn's callbacks have run. Fills `memory` with header, records and slab. Returns its number.
// pollerStart(onBatch: (count: number) => void, onFlush: () => void, memory: ArrayBuffer[]): number
napi_value PollerStart(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  Environment* environment = Environment::Of(env);
  for (size_t i = 0; i < 2; i++) {
    napi_valuetype type = napi_undefined;
    if (!args.failed() &&
        (napi_typeof(env, args.Raw(i), &type) != napi_ok || type != napi_function)) {
      args.Fail("native call: expected a function");
    }
  }
  bool array = false;
  if (!args.failed() && (napi_is_array(env, args.Raw(2), &array) != napi_ok || !array)) {
    args.Fail("native call: expected an array");
  }
  if (args.failed()) return nullptr;
  int error = 0;
  Poller* poller = Poller::Start(env, environment, args.Raw(0), args.Raw(1), &error);
  if (poller == nullptr) return Int(env, -error);
  environment->pollers.push_back(poller);
  const std::shared_ptr<Shared>* shared[] = {&poller->header, &poller->records, &poller->slab};
  for (uint32_t i = 0; i < 3; i++) {
    napi_value view = poller->View(*shared[i]);
    if (view == nullptr) return nullptr;
    napi_set_element(env, args.Raw(2), i, view);
  }
  return Int(env, static_cast<int32_t>(environment->pollers.size() - 1));
}

// Makes room for `slots` slots, never fewer than before. The control words, two a slot (mode,
// want), move to the result.
// pollerGrow(poller: number, slots: number): ArrayBuffer
napi_value PollerGrow(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  Poller* poller = Started(args);
  const uint32_t slots = args.Uint32(1);
  if (!args.failed() && (slots < poller->slots() || slots == 0 || slots > (1u << 24)))
    args.FailRange("native call: slots");
  return args.failed() ? nullptr : poller->Grow(slots);
}

// int epoll_ctl(int epfd, EPOLL_CTL_ADD, int fd, struct epoll_event *event);
// pollerWatch(poller: number, slot: number, fd: number, events: number): number
napi_value PollerWatch(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  Poller* poller = Started(args);
  const uint32_t slot = args.Uint32(1);
  const int fd = args.Int32(2);
  const uint32_t events = args.Uint32(3);
  return args.failed() ? nullptr : Int(env, -poller->Watch(slot, fd, events));
}

// int epoll_ctl(int epfd, EPOLL_CTL_MOD, int fd, struct epoll_event *event);
// pollerRewatch(poller: number, slot: number, events: number): number
napi_value PollerRewatch(napi_env env, napi_callback_info info) {
  Args args(env, info, 3);
  Poller* poller = Started(args);
  const uint32_t slot = args.Uint32(1);
  const uint32_t events = args.Uint32(2);
  return args.failed() ? nullptr : Int(env, -poller->Rewatch(slot, events));
}

// int epoll_ctl(int epfd, EPOLL_CTL_DEL, int fd, NULL);   before the descriptor is closed
// pollerUnwatch(poller: number, slot: number): number
napi_value PollerUnwatch(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  Poller* poller = Started(args);
  const uint32_t slot = args.Uint32(1);
  return args.failed() ? nullptr : Int(env, -poller->Unwatch(slot));
}

// Whether the poller keeps the process alive.
// pollerRef(poller: number, on: boolean): void
napi_value PollerRef(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  Poller* poller = Started(args);
  const bool on = args.Boolean(1);
  if (!args.failed()) poller->SetRef(on);
  return nullptr;
}

// Asks for onFlush before the loop sleeps; needed outside of a batch only.
// pollerFlush(poller: number): void
napi_value PollerFlush(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  Poller* poller = Started(args);
  if (!args.failed()) poller->RequestFlush();
  return nullptr;
}

}  // namespace

void ExportPollerCalls(napi_env env, napi_value exports) {
  Export(env, exports, "pollerStart", PollerStart);
  Export(env, exports, "pollerGrow", PollerGrow);
  Export(env, exports, "pollerWatch", PollerWatch);
  Export(env, exports, "pollerRewatch", PollerRewatch);
  Export(env, exports, "pollerUnwatch", PollerUnwatch);
  Export(env, exports, "pollerRef", PollerRef);
  Export(env, exports, "pollerFlush", PollerFlush);
}

}  // namespace sockeye
