// Preloaded into a server under test, in front of the system's resolver: names that end in
// "slow.test" take ten seconds to fail, as with glibc where no name server answers; those that end
// in "gone.test" do not exist; "customer.test" is this machine. Other names are the system's.
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  const auto system = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string_view name = node == nullptr ? "" : node;
  if (name.ends_with("slow.test")) {
    ::sleep(10);
    return EAI_AGAIN;
  }
  if (name.ends_with("gone.test")) return EAI_NONAME;
  return system(name == "customer.test" ? "127.0.0.1" : node, service, hints, found);
}
