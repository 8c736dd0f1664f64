// The records of TLS 1.3 (RFC 8446, section 5): many are opened or sealed in one call. The ciphers
// are those of the OpenSSL that Node carries or is linked to. They are looked up when the addon is
// loaded, so that it also loads where they are missing; node:tls does everything there.
#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "calls.h"

namespace sockeye {
namespace {

constexpr size_t kHeaderBytes = 5;
constexpr size_t kTagBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kContentBytes = 16384;
// What a record's content may be with its type and its padding, encrypted.
constexpr size_t kSealedBytes = kContentBytes + 256;

constexpr uint8_t kApplicationData = 23;

// Why the opening of records stopped.
constexpr int32_t kMoreInput = 0;
constexpr int32_t kTargetIsFull = 1;
constexpr int32_t kOtherContent = 2;
// RFC 8446, section 6: the alerts that tell the peer.
constexpr int32_t kUnexpectedMessage = -10;
constexpr int32_t kBadRecordMac = -20;
constexpr int32_t kRecordOverflow = -22;

// openssl/evp.h, unchanged since OpenSSL 1.1.0; BoringSSL has the same.
struct Evp {
  void* (*CTX_new)();
  void (*CTX_free)(void* context);
  const void* (*Aes128Gcm)();
  const void* (*Aes256Gcm)();
  const void* (*ChaCha20Poly1305)();
  int (*CipherInit)(void* context, const void* cipher, void* engine, const uint8_t* key,
                    const uint8_t* iv, int encrypt);
  int (*CipherUpdate)(void* context, uint8_t* out, int* out_length, const uint8_t* in, int length);
  int (*CipherFinal)(void* context, uint8_t* out, int* out_length);
  int (*Control)(void* context, int type, int argument, void* pointer);
  bool is_complete = false;
};

constexpr int kSetNonceLength = 0x9;
constexpr int kGetTag = 0x10;
constexpr int kSetTag = 0x11;

template <typename Function>
bool Find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

Evp FindEvp() {
  Evp evp;
  evp.is_complete =
      Find(evp.CTX_new, "EVP_CIPHER_CTX_new") && Find(evp.CTX_free, "EVP_CIPHER_CTX_free") &&
      Find(evp.Aes128Gcm, "EVP_aes_128_gcm") && Find(evp.Aes256Gcm, "EVP_aes_256_gcm") &&
      Find(evp.ChaCha20Poly1305, "EVP_chacha20_poly1305") &&
      Find(evp.CipherInit, "EVP_CipherInit_ex") && Find(evp.CipherUpdate, "EVP_CipherUpdate") &&
      Find(evp.CipherFinal, "EVP_CipherFinal_ex") && Find(evp.Control, "EVP_CIPHER_CTX_ctrl");
  return evp;
}

const Evp& TheEvp() {
  static const Evp evp = FindEvp();
  return evp;
}

const void* CipherOf(const Evp& evp, const std::string& name) {
  if (name == "TLS_AES_128_GCM_SHA256") return evp.Aes128Gcm();
  if (name == "TLS_AES_256_GCM_SHA384") return evp.Aes256Gcm();
  if (name == "TLS_CHACHA20_POLY1305_SHA256") return evp.ChaCha20Poly1305();
  return nullptr;
}

size_t KeyBytesOf(const std::string& name) { return name == "TLS_AES_128_GCM_SHA256" ? 16 : 32; }

/** One direction's key, with the number of the next record. */
class TlsKey {
 public:
  ~TlsKey() {
    if (context_ != nullptr) TheEvp().CTX_free(context_);
  }

  bool Start(const void* cipher, const uint8_t* key, const uint8_t* iv, bool seals) {
    const Evp& evp = TheEvp();
    std::copy_n(iv, kNonceBytes, iv_);
    seals_ = seals;
    context_ = evp.CTX_new();
    return context_ != nullptr &&
           evp.CipherInit(context_, cipher, nullptr, nullptr, nullptr, seals ? 1 : 0) == 1 &&
           evp.Control(context_, kSetNonceLength, kNonceBytes, nullptr) == 1 &&
           evp.CipherInit(context_, nullptr, nullptr, key, nullptr, -1) == 1;
  }

  bool seals() const { return seals_; }

  // `size` bytes of content and then its type, as one record at `out`. 0 where OpenSSL fails.
  size_t Seal(uint8_t type, const uint8_t* content, size_t size, uint8_t* out) {
    const Evp& evp = TheEvp();
    WriteHeader(out, size + 1 + kTagBytes);
    uint8_t* body = out + kHeaderBytes;
    int length = 0;
    if (!Begin(out) || !Update(body, content, size) || !Update(body + size, &type, 1) ||
        evp.CipherFinal(context_, body + size + 1, &length) != 1 ||
        evp.Control(context_, kGetTag, kTagBytes, body + size + 1) != 1) {
      return 0;
    }
    number_++;
    return kHeaderBytes + size + 1 + kTagBytes;
  }

  // The content of the record at `header`, whose `sealed` encrypted bytes follow; `out` has room
  // for all but the last of them, which is the type or padding. Its size and type, or false for a
  // tag that is wrong: `out` then holds zeros.
  bool Open(const uint8_t* header, size_t sealed, uint8_t* out, size_t* size, uint8_t* type) {
    const Evp& evp = TheEvp();
    const uint8_t* body = header + kHeaderBytes;
    uint8_t tag[kTagBytes];
    std::copy_n(body + sealed, kTagBytes, tag);
    int length = 0;
    if (!Begin(header) || !Update(out, body, sealed - 1) || !Update(type, body + sealed - 1, 1) ||
        evp.Control(context_, kSetTag, kTagBytes, tag) != 1 ||
        evp.CipherFinal(context_, tag, &length) != 1) {
      std::fill_n(out, sealed - 1, 0);
      return false;
    }
    number_++;
    *size = sealed - 1;
    while (*type == 0 && *size > 0) *type = out[--*size];
    return true;
  }

 private:
  static void WriteHeader(uint8_t* out, size_t length) {
    out[0] = kApplicationData;
    out[1] = 3;
    out[2] = 3;
    out[3] = static_cast<uint8_t>(length >> 8);
    out[4] = static_cast<uint8_t>(length);
  }

  // The nonce is the iv, mixed with the record's number (section 5.3); its header is authenticated.
  bool Begin(const uint8_t* header) {
    uint8_t nonce[kNonceBytes];
    std::copy_n(iv_, kNonceBytes, nonce);
    for (size_t i = 0; i < 8; i++) {
      nonce[kNonceBytes - 1 - i] ^= static_cast<uint8_t>(number_ >> (8 * i));
    }
    int length = 0;
    return TheEvp().CipherInit(context_, nullptr, nullptr, nullptr, nonce, -1) == 1 &&
           TheEvp().CipherUpdate(context_, nullptr, &length, header, kHeaderBytes) == 1;
  }

  bool Update(uint8_t* out, const uint8_t* in, size_t size) {
    int length = 0;
    return size == 0 ||
           TheEvp().CipherUpdate(context_, out, &length, in, static_cast<int>(size)) == 1;
  }

  void* context_ = nullptr;
  uint64_t number_ = 0;
  uint8_t iv_[kNonceBytes];
  bool seals_ = false;
};

// Made by createTlsKey only: an external of another kind is no key.
constexpr napi_type_tag kKeyTag = {0x736f636b65796531, 0x746c736b65793031};

TlsKey* KeyOf(Args& args, size_t index, bool seals) {
  bool is_key = false;
  void* data = nullptr;
  if (args.failed()) return nullptr;
  const napi_value value = args.Raw(index);
  if (napi_check_object_type_tag(args.env(), value, &kKeyTag, &is_key) != napi_ok || !is_key ||
      napi_get_value_external(args.env(), value, &data) != napi_ok ||
      static_cast<TlsKey*>(data)->seals() != seals) {
    args.Fail("native call: expected a TLS key for this direction");
    return nullptr;
  }
  return static_cast<TlsKey*>(data);
}

// A key of one direction, from RFC 8446, section 7.3; `cipher` by its name there. Undefined for
// another cipher and where Node shows no OpenSSL.
// createTlsKey(cipher: string, key: Uint8Array, iv: Uint8Array, seals: boolean): TlsKey | undefined
napi_value CreateTlsKey(napi_env env, napi_callback_info info) {
  Args args(env, info, 4);
  const std::string name = args.String(0);
  const Bytes key = args.View(1);
  const Bytes iv = args.View(2);
  const bool seals = args.Boolean(3);
  if (args.failed()) return nullptr;
  const Evp& evp = TheEvp();
  const void* cipher = evp.is_complete ? CipherOf(evp, name) : nullptr;
  if (cipher == nullptr) return nullptr;
  if (key.size != KeyBytesOf(name) || iv.size != kNonceBytes) {
    args.FailRange("native call: the length of a TLS key or its iv");
    return nullptr;
  }
  std::unique_ptr<TlsKey> made(new (std::nothrow) TlsKey());
  if (made == nullptr || !made->Start(cipher, key.data, iv.data, seals)) return nullptr;
  napi_value result = nullptr;
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<TlsKey*>(data); };
  if (napi_create_external(env, made.get(), finalize, nullptr, &result) != napi_ok) return nullptr;
  made.release();
  if (napi_type_tag_object(env, result, &kKeyTag) != napi_ok) return nullptr;
  return result;
}

// Opens the records that lie whole in `sealed`, one behind the other, into `target`. `outcome`:
// bytes of `sealed` that are done with; bytes of application data that lie in `target`; why it
// stopped: 0 at the end of `sealed` or within a record, 1 where the next record's content might not
// fit, 2 behind a record of another type, or -N for the alert N (RFC 8446, section 6); for 2 also
// the type and the length of its content, which lies in `target` behind the application data.
// openTlsRecords(key: TlsKey, sealed: Uint8Array, from: number, length: number, target: Uint8Array,
// at: number, room: number, outcome: Int32Array): void
napi_value OpenTlsRecords(napi_env env, napi_callback_info info) {
  Args args(env, info, 8);
  TlsKey* key = KeyOf(args, 0, false);
  const Bytes sealed = args.Slice(1);
  const Bytes target = args.Slice(4);
  int32_t* outcome = args.Words(7, 5);
  if (args.failed()) return nullptr;
  size_t at = 0;
  size_t filled = 0;
  int32_t stop = kMoreInput;
  while (stop == kMoreInput && sealed.size - at >= kHeaderBytes) {
    const uint8_t* header = sealed.data + at;
    const size_t length = static_cast<size_t>(header[3]) << 8 | header[4];
    if (header[0] != kApplicationData)
      stop = kUnexpectedMessage;
    else if (length > kSealedBytes)
      stop = kRecordOverflow;
    else if (length <= kTagBytes)
      stop = kBadRecordMac;
    if (stop != kMoreInput || sealed.size - at - kHeaderBytes < length) break;
    if (length - kTagBytes - 1 > target.size - filled) {
      stop = kTargetIsFull;
      break;
    }
    size_t size = 0;
    uint8_t type = 0;
    if (!key->Open(header, length - kTagBytes, target.data + filled, &size, &type)) {
      stop = kBadRecordMac;
      break;
    }
    at += kHeaderBytes + length;
    if (size > kContentBytes) {
      stop = kRecordOverflow;
    } else if (type == kApplicationData) {
      filled += size;
    } else {
      outcome[3] = type;
      outcome[4] = static_cast<int32_t>(size);
      stop = kOtherContent;
    }
  }
  outcome[0] = static_cast<int32_t>(at);
  outcome[1] = static_cast<int32_t>(filled);
  outcome[2] = stop;
  return nullptr;
}

// Seals `content` as records of `type` of at most 16 KiB into `target`: the bytes they take, which
// are 22 more for each; -1 where OpenSSL fails. No content is one empty record.
// sealTlsRecords(sealingKey: TlsKey, type: number, content: Uint8Array, from: number, length:
// number, target: Uint8Array, at: number): number
napi_value SealTlsRecords(napi_env env, napi_callback_info info) {
  Args args(env, info, 7);
  TlsKey* key = KeyOf(args, 0, true);
  const uint32_t type = args.Uint32(1);
  const Bytes content = args.Slice(2);
  Bytes target = args.View(5);
  const uint32_t start = args.Uint32(6);
  if (!args.failed() && start > target.size) args.FailRange("native call: offset");
  if (args.failed()) return nullptr;
  constexpr size_t kOverhead = kHeaderBytes + 1 + kTagBytes;
  const size_t records = std::max<size_t>(1, (content.size + kContentBytes - 1) / kContentBytes);
  if (type > 255 || type == 0 || content.size + records * kOverhead > target.size - start ||
      target.size > INT32_MAX) {
    args.FailRange("native call: the type or size of TLS records");
    return nullptr;
  }
  size_t at = 0;
  size_t out = 0;
  target = {target.data + start, target.size - start};
  do {
    const size_t size = std::min(content.size - at, kContentBytes);
    const size_t sealed =
        key->Seal(static_cast<uint8_t>(type), content.data + at, size, target.data + out);
    if (sealed == 0) return Int(env, -1);
    at += size;
    out += sealed;
  } while (at < content.size);
  return Int(env, static_cast<int32_t>(out));
}

}  // namespace

void ExportTlsCalls(napi_env env, napi_value exports) {
  Export(env, exports, "createTlsKey", CreateTlsKey);
  Export(env, exports, "openTlsRecords", OpenTlsRecords);
  Export(env, exports, "sealTlsRecords", SealTlsRecords);
}

}  // namespace sockeye
