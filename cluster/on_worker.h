// What blocks, for a coroutine: done on a worker's thread.
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/requests.h"
#include "storage/worker.h"

namespace carillon {

/// What `work` comes to, done on the worker's thread; goes on on the caller's.
template <typename T, typename Work>
Async<T> on_worker(Worker& worker, Work work) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      [&worker](auto handler, Work its) {
        using Handler = decltype(handler);
        // Work for the worker must be copyable, which a handler is not.
        auto kept = std::make_shared<Handler>(std::move(handler));
        auto executor = boost::asio::prefer(boost::asio::get_associated_executor(*kept),
                                            boost::asio::execution::outstanding_work.tracked);
        worker.post([kept, executor, its = std::move(its)]() mutable {
          boost::asio::post(
              executor, [kept, value = its()]() mutable { std::move (*kept)(std::move(value)); });
        });
      },
      boost::asio::use_awaitable, std::move(work));
}

}  // namespace carillon
