// What belongs to one napi_env (the main thread's, or a worker's): the descriptors it owns and its
// pollers, one for each copy of the library that was loaded. There are no statics, so that the
// addon can be loaded in many threads at once.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <vector>

namespace sockeye {

class Poller;

class Environment {
 public:
  static Environment* Of(napi_env env);
  static bool Install(napi_env env);

  /** Notes that this environment closes `fd` when it is torn down. Returns fd. */
  int Own(int fd);
  void Disown(int fd);
  bool Owns(int fd) const;

  std::vector<Poller*> pollers;

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void Cleanup(napi_async_cleanup_hook_handle handle, void* data);
  void Finish();

  napi_env env_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  size_t open_pollers_ = 0;
  std::vector<uint8_t> owned_;
};

}  // namespace sockeye
