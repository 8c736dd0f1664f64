#include "environment.h"

#include <unistd.h>

#include <new>

#include "poller.h"

namespace sockeye {

Environment* Environment::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<Environment*>(data);
}

bool Environment::Install(napi_env env) {
  auto* environment = new (std::nothrow) Environment(env);
  if (environment == nullptr) return false;
  return napi_set_instance_data(env, environment, nullptr, nullptr) == napi_ok &&
         napi_add_async_cleanup_hook(env, Cleanup, environment, &environment->hook_) == napi_ok;
}

int Environment::Own(int fd) {
  if (fd < 0) return fd;
  if (static_cast<size_t>(fd) >= owned_.size()) owned_.resize(fd + 64, 0);
  owned_[fd] = 1;
  return fd;
}

void Environment::Disown(int fd) {
  if (Owns(fd)) owned_[fd] = 0;
}

bool Environment::Owns(int fd) const {
  return fd >= 0 && static_cast<size_t>(fd) < owned_.size() && owned_[fd] != 0;
}

// The hook is asynchronous because libuv closes its handles only from the loop; without it a
// terminated worker left a handle behind whose memory was gone.
void Environment::Cleanup(napi_async_cleanup_hook_handle, void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->open_pollers_ = environment->pollers.size();
  if (environment->open_pollers_ == 0) {
    environment->Finish();
    return;
  }
  const auto closed = [](void* context) {
    auto* environment = static_cast<Environment*>(context);
    if (--environment->open_pollers_ == 0) environment->Finish();
  };
  for (Poller* poller : environment->pollers) poller->Close(closed, environment);
}

void Environment::Finish() {
  for (size_t fd = 0; fd < owned_.size(); fd++) {
    if (owned_[fd] != 0) ::close(static_cast<int>(fd));
  }
  for (Poller* poller : pollers) delete poller;
  const auto hook = hook_;
  delete this;
  napi_remove_async_cleanup_hook(hook);
}

}  // namespace sockeye
