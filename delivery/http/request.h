// The head of a push: request line and headers, as docs/api.md lists them.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "delivery/http/settings.h"
#include "delivery/http/signature.h"
#include "delivery/sink.h"
#include "net/proxy.h"
#include "net/url.h"

namespace carillon {

/// Appends the head, blank line included, as `proxy` wants it where it is sent to one; the body
/// follows as it is. `now` becomes webhook-timestamp. A task's header takes the place of the
/// target's of the same name, and either of User-Agent's.
void append_request_head(std::string& out, const Push& push, const HttpSettings& target,
                         const Url& url, std::string_view user_agent, WallTime now,
                         const WebhookSigner& signer, const Proxy* proxy = nullptr);

}  // namespace carillon
