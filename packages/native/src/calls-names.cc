// Names: hosts, services, protocols, interfaces. Those that may ask the network exist twice: the
// plain name runs on the thread pool and returns a Promise, …Sync blocks the caller. A failure is
// a number (an EAI_ or h_errno code as libc defines it), so that TypeScript makes the error.
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "calls.h"

namespace sockeye {
namespace {

napi_value BytesValue(napi_env env, const void* data, size_t size) {
  void* target = nullptr;
  napi_value buffer = nullptr;
  napi_value view = nullptr;
  // It fails where JavaScript can't run any more: a worker that ends during its look-up.
  if (napi_create_arraybuffer(env, size, &target, &buffer) != napi_ok) return nullptr;
  if (size > 0) memcpy(target, data, size);
  napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &view);
  return view;
}

void Set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value Texts(napi_env env, const std::vector<std::string>& texts) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, texts.size(), &array);
  for (size_t i = 0; i < texts.size(); i++) {
    napi_set_element(env, array, static_cast<uint32_t>(i), Text(env, texts[i].c_str()));
  }
  return array;
}

/** One look-up: Execute may run on a pool thread and touches no JavaScript, Complete does. */
class Lookup {
 public:
  virtual ~Lookup() = default;
  virtual void Execute() = 0;
  virtual napi_value Complete(napi_env env) = 0;

  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
};

napi_value RunSync(napi_env env, std::unique_ptr<Lookup> lookup) {
  lookup->Execute();
  return lookup->Complete(env);
}

napi_value RunAsync(napi_env env, std::unique_ptr<Lookup> lookup) {
  napi_value promise = nullptr;
  napi_value name = Text(env, "SOCKEYE_LOOKUP");
  if (napi_create_promise(env, &lookup->deferred, &promise) != napi_ok) return nullptr;
  const auto execute = [](napi_env, void* data) { static_cast<Lookup*>(data)->Execute(); };
  const auto complete = [](napi_env env, napi_status status, void* data) {
    std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(data));
    if (status == napi_ok) napi_resolve_deferred(env, lookup->deferred, lookup->Complete(env));
    napi_delete_async_work(env, lookup->work);
  };
  if (napi_create_async_work(env, nullptr, name, execute, complete, lookup.get(), &lookup->work) !=
      napi_ok) {
    return nullptr;
  }
  napi_queue_async_work(env, lookup->work);
  lookup.release();
  return promise;
}

using Runner = napi_value (*)(napi_env, std::unique_ptr<Lookup>);

std::optional<std::string> OptionalText(Args& args, size_t index) {
  napi_valuetype type = napi_undefined;
  if (args.failed() || napi_typeof(args.env(), args.Raw(index), &type) != napi_ok ||
      type == napi_null) {
    return std::nullopt;
  }
  return args.String(index);
}

const char* Pointer(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

class AddrinfoLookup : public Lookup {
 public:
  ~AddrinfoLookup() override {
    if (list_ != nullptr) ::freeaddrinfo(list_);
  }
  void Execute() override {
    status_ = ::getaddrinfo(Pointer(host), Pointer(service), &hints, &list_);
    if (status_ == EAI_SYSTEM) system_error_ = errno;
  }
  napi_value Complete(napi_env env) override {
    if (status_ != 0) return Int(env, status_ == EAI_SYSTEM ? system_error_ : status_);
    napi_value array = nullptr;
    napi_create_array(env, &array);
    uint32_t index = 0;
    for (addrinfo* entry = list_; entry != nullptr; entry = entry->ai_next, index++) {
      napi_value object = nullptr;
      napi_create_object(env, &object);
      Set(env, object, "family", Int(env, entry->ai_family));
      Set(env, object, "type", Int(env, entry->ai_socktype));
      Set(env, object, "proto", Int(env, entry->ai_protocol));
      Set(env, object, "canonname",
          Text(env, entry->ai_canonname == nullptr ? "" : entry->ai_canonname));
      Set(env, object, "address", BytesValue(env, entry->ai_addr, entry->ai_addrlen));
      napi_set_element(env, array, index, object);
    }
    return array;
  }

  std::optional<std::string> host;
  std::optional<std::string> service;
  addrinfo hints{};

 private:
  int status_ = 0;
  int system_error_ = 0;
  addrinfo* list_ = nullptr;
};

napi_value GetaddrinfoWith(napi_env env, napi_callback_info info, Runner run) {
  Args args(env, info, 6);
  auto lookup = std::make_unique<AddrinfoLookup>();
  lookup->host = OptionalText(args, 0);
  lookup->service = OptionalText(args, 1);
  lookup->hints.ai_family = args.Int32(2);
  lookup->hints.ai_socktype = args.Int32(3);
  lookup->hints.ai_protocol = args.Int32(4);
  lookup->hints.ai_flags = args.Int32(5);
  if (args.failed()) return nullptr;
  return run(env, std::move(lookup));
}

// int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct
// addrinfo **res); A number is the failure: an EAI_ code (negative), or a positive errno for
// EAI_SYSTEM. getaddrinfo(host: string | null, service: string | null, family: number, type:
// number, proto: number, flags: number): Promise<RawAddressInfo[] | number>
napi_value Getaddrinfo(napi_env env, napi_callback_info info) {
  return GetaddrinfoWith(env, info, RunAsync);
}

// int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct
// addrinfo **res); getaddrinfoSync(host: string | null, service: string | null, family: number,
// type: number, proto: number, flags: number): RawAddressInfo[] | number
napi_value GetaddrinfoSync(napi_env env, napi_callback_info info) {
  return GetaddrinfoWith(env, info, RunSync);
}

class NameinfoLookup : public Lookup {
 public:
  void Execute() override {
    status_ = ::getnameinfo(reinterpret_cast<sockaddr*>(address.data()), address.size(), host_,
                            sizeof host_, service_, sizeof service_, flags);
    if (status_ == EAI_SYSTEM) status_ = errno;
  }
  napi_value Complete(napi_env env) override {
    if (status_ != 0) return Int(env, status_);
    napi_value object = nullptr;
    napi_create_object(env, &object);
    Set(env, object, "host", Text(env, host_));
    Set(env, object, "service", Text(env, service_));
    return object;
  }

  std::vector<uint8_t> address;
  int flags = 0;

 private:
  int status_ = 0;
  char host_[NI_MAXHOST] = {};
  char service_[NI_MAXSERV] = {};
};

napi_value GetnameinfoWith(napi_env env, napi_callback_info info, Runner run) {
  Args args(env, info, 2);
  auto lookup = std::make_unique<NameinfoLookup>();
  const Bytes address = args.View(0);
  lookup->flags = args.Int32(1);
  if (args.failed()) return nullptr;
  lookup->address.assign(address.data, address.data + address.size);
  return run(env, std::move(lookup));
}

// int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen,
// char *serv, socklen_t servlen, int flags); getnameinfo(address: Uint8Array, flags: number):
// Promise<{ host: string; service: string } | number>
napi_value Getnameinfo(napi_env env, napi_callback_info info) {
  return GetnameinfoWith(env, info, RunAsync);
}

// int getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen,
// char *serv, socklen_t servlen, int flags); getnameinfoSync(address: Uint8Array, flags: number): {
// host: string; service: string } | number
napi_value GetnameinfoSync(napi_env env, napi_callback_info info) {
  return GetnameinfoWith(env, info, RunSync);
}

// gethostbyname_r and gethostbyaddr_r: the caller's buffer grows until the entry fits.
class HostLookup : public Lookup {
 public:
  void Execute() override {
    std::vector<char> scratch(8192);
    hostent* found = nullptr;
    for (;;) {
      hostent entry{};
      const int status = Query(&entry, scratch, &found);
      if (status != ERANGE || scratch.size() > (1 << 20)) {
        if (found != nullptr) Keep(*found);
        return;
      }
      scratch.resize(scratch.size() * 2);
    }
  }
  napi_value Complete(napi_env env) override {
    if (!found_) return Int(env, error_);
    napi_value object = nullptr;
    napi_value list = nullptr;
    napi_create_object(env, &object);
    Set(env, object, "hostname", Text(env, name_.c_str()));
    Set(env, object, "aliases", Texts(env, aliases_));
    Set(env, object, "family", Int(env, family_));
    napi_create_array(env, &list);
    for (size_t i = 0; i < addresses_.size(); i++) {
      napi_set_element(env, list, static_cast<uint32_t>(i),
                       BytesValue(env, addresses_[i].data(), addresses_[i].size()));
    }
    Set(env, object, "addresses", list);
    return object;
  }

  std::string name;              // for gethostbyname
  std::vector<uint8_t> address;  // for gethostbyaddr
  int family = AF_INET;

 private:
  int Query(hostent* entry, std::vector<char>& scratch, hostent** found) {
    if (!address.empty()) {
      return ::gethostbyaddr_r(address.data(), address.size(), family, entry, scratch.data(),
                               scratch.size(), found, &error_);
    }
    return ::gethostbyname2_r(name.c_str(), family, entry, scratch.data(), scratch.size(), found,
                              &error_);
  }
  void Keep(const hostent& entry) {
    found_ = true;
    name_ = entry.h_name == nullptr ? "" : entry.h_name;
    family_ = entry.h_addrtype;
    for (char** alias = entry.h_aliases; *alias != nullptr; alias++) aliases_.emplace_back(*alias);
    for (char** item = entry.h_addr_list; *item != nullptr; item++)
      addresses_.emplace_back(*item, entry.h_length);
  }

  bool found_ = false;
  int error_ = 0;
  int family_ = 0;
  std::string name_;
  std::vector<std::string> aliases_;
  std::vector<std::string> addresses_;
};

napi_value GethostbynameWith(napi_env env, napi_callback_info info, Runner run) {
  Args args(env, info, 1);
  auto lookup = std::make_unique<HostLookup>();
  lookup->name = args.String(0);
  if (args.failed()) return nullptr;
  return run(env, std::move(lookup));
}

// int gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t buflen,
// struct hostent **result, int *h_errnop); A number is the failure: an h_errno code.
// gethostbyname(name: string): Promise<RawHost | number>
napi_value Gethostbyname(napi_env env, napi_callback_info info) {
  return GethostbynameWith(env, info, RunAsync);
}

// int gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t buflen,
// struct hostent **result, int *h_errnop); gethostbynameSync(name: string): RawHost | number
napi_value GethostbynameSync(napi_env env, napi_callback_info info) {
  return GethostbynameWith(env, info, RunSync);
}

napi_value GethostbyaddrWith(napi_env env, napi_callback_info info, Runner run) {
  Args args(env, info, 2);
  auto lookup = std::make_unique<HostLookup>();
  const Bytes address = args.View(0);
  lookup->family = args.Int32(1);
  if (!args.failed() && address.size != 4 && address.size != 16)
    args.FailRange("native call: address length");
  if (args.failed()) return nullptr;
  lookup->address.assign(address.data, address.data + address.size);
  return run(env, std::move(lookup));
}

// int gethostbyaddr_r(const void *addr, socklen_t len, int type, struct hostent *ret, char *buf,
// size_t buflen, struct hostent **result, int *h_errnop); gethostbyaddr(address: Uint8Array,
// family: number): Promise<RawHost | number>
napi_value Gethostbyaddr(napi_env env, napi_callback_info info) {
  return GethostbyaddrWith(env, info, RunAsync);
}

// int gethostbyaddr_r(const void *addr, socklen_t len, int type, struct hostent *ret, char *buf,
// size_t buflen, struct hostent **result, int *h_errnop); gethostbyaddrSync(address: Uint8Array,
// family: number): RawHost | number
napi_value GethostbyaddrSync(napi_env env, napi_callback_info info) {
  return GethostbyaddrWith(env, info, RunSync);
}

// int getservbyname_r(const char *name, const char *proto, struct servent *result_buf, char *buf,
// size_t buflen, struct servent **result); The port, or -1 when there is none. getservbyname(name:
// string, protocol: string | null): number
napi_value Getservbyname(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const std::string name = args.String(0);
  const auto protocol = OptionalText(args, 1);
  if (args.failed()) return nullptr;
  servent entry{};
  servent* found = nullptr;
  char scratch[8192];
  ::getservbyname_r(name.c_str(), Pointer(protocol), &entry, scratch, sizeof scratch, &found);
  return Int(env, found == nullptr ? -1 : ntohs(static_cast<uint16_t>(found->s_port)));
}

// int getservbyport_r(int port, const char *proto, struct servent *result_buf, char *buf, size_t
// buflen, struct servent **result); getservbyport(port: number, protocol: string | null): string |
// null
napi_value Getservbyport(napi_env env, napi_callback_info info) {
  Args args(env, info, 2);
  const int port = htons(static_cast<uint16_t>(args.Uint32(0)));
  const auto protocol = OptionalText(args, 1);
  if (args.failed()) return nullptr;
  servent entry{};
  servent* found = nullptr;
  char scratch[8192];
  ::getservbyport_r(port, Pointer(protocol), &entry, scratch, sizeof scratch, &found);
  return Text(env, found == nullptr ? nullptr : found->s_name);
}

// int getprotobyname_r(const char *name, struct protoent *result_buf, char *buf, size_t buflen,
// struct protoent **result); getprotobyname(name: string): number
napi_value Getprotobyname(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const std::string name = args.String(0);
  if (args.failed()) return nullptr;
  protoent entry{};
  protoent* found = nullptr;
  char scratch[8192];
  ::getprotobyname_r(name.c_str(), &entry, scratch, sizeof scratch, &found);
  return Int(env, found == nullptr ? -1 : found->p_proto);
}

// int gethostname(char *name, size_t len);
// gethostname(): string | number
napi_value Gethostname(napi_env env, napi_callback_info info) {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return Int(env, -errno);
  return Text(env, name);
}

// int sethostname(const char *name, size_t len);
// sethostname(name: Uint8Array): number
napi_value Sethostname(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const Bytes name = args.View(0);
  if (args.failed()) return nullptr;
  return Result(env, ::sethostname(reinterpret_cast<const char*>(name.data), name.size));
}

// struct if_nameindex *if_nameindex(void);
// ifNameindex(): { index: number; name: string }[] | number
napi_value IfNameindex(napi_env env, napi_callback_info info) {
  struct if_nameindex* list = ::if_nameindex();
  if (list == nullptr) return Int(env, -errno);
  napi_value array = nullptr;
  napi_create_array(env, &array);
  for (uint32_t i = 0; list[i].if_index != 0; i++) {
    napi_value object = nullptr;
    napi_create_object(env, &object);
    Set(env, object, "index", Int(env, static_cast<int32_t>(list[i].if_index)));
    Set(env, object, "name", Text(env, list[i].if_name));
    napi_set_element(env, array, i, object);
  }
  ::if_freenameindex(list);
  return array;
}

// unsigned int if_nametoindex(const char *ifname);
// ifNametoindex(name: string): number
napi_value IfNametoindex(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const std::string name = args.String(0);
  if (args.failed()) return nullptr;
  const unsigned int index = ::if_nametoindex(name.c_str());
  return Int(env, index == 0 ? -errno : static_cast<int32_t>(index));
}

// char *if_indextoname(unsigned int ifindex, char *ifname);
// ifIndextoname(index: number): string | number
napi_value IfIndextoname(napi_env env, napi_callback_info info) {
  Args args(env, info, 1);
  const uint32_t index = args.Uint32(0);
  if (args.failed()) return nullptr;
  char name[IF_NAMESIZE] = {};
  if (::if_indextoname(index, name) == nullptr) return Int(env, -errno);
  return Text(env, name);
}

}  // namespace

void ExportNameCalls(napi_env env, napi_value exports) {
  Export(env, exports, "getaddrinfo", Getaddrinfo);
  Export(env, exports, "getaddrinfoSync", GetaddrinfoSync);
  Export(env, exports, "getnameinfo", Getnameinfo);
  Export(env, exports, "getnameinfoSync", GetnameinfoSync);
  Export(env, exports, "gethostbyname", Gethostbyname);
  Export(env, exports, "gethostbynameSync", GethostbynameSync);
  Export(env, exports, "gethostbyaddr", Gethostbyaddr);
  Export(env, exports, "gethostbyaddrSync", GethostbyaddrSync);
  Export(env, exports, "getservbyname", Getservbyname);
  Export(env, exports, "getservbyport", Getservbyport);
  Export(env, exports, "getprotobyname", Getprotobyname);
  Export(env, exports, "gethostname", Gethostname);
  Export(env, exports, "sethostname", Sethostname);
  Export(env, exports, "ifNameindex", IfNameindex);
  Export(env, exports, "ifNametoindex", IfNametoindex);
  Export(env, exports, "ifIndextoname", IfIndextoname);
}

}  // namespace sockeye
