// Several coroutines at the same time, on the caller's loop.
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/requests.h"

namespace carillon {

/// Runs all of them; returns when the last is over. What they refer to outlives the call.
inline Async<void> together(std::vector<Async<void>> works) {
  namespace asio = boost::asio;
  if (works.empty()) co_return;
  if (works.size() == 1) {
    co_await std::move(works.front());
    co_return;
  }
  const auto loop = co_await asio::this_coro::executor;
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      [](auto handler, asio::any_io_executor its_loop, std::vector<Async<void>> its) {
        struct Left {
          explicit Left(decltype(handler) whom, std::size_t count)
              : resume(std::move(whom)), works(count) {}
          decltype(handler) resume;
          std::size_t works;
          std::exception_ptr failed;
        };
        auto left = std::make_shared<Left>(std::move(handler), its.size());
        for (Async<void>& work : its) {
          asio::co_spawn(its_loop, std::move(work), [left, its_loop](std::exception_ptr failed) {
            if (failed) left->failed = std::move(failed);
            if (--left->works > 0) return;
            asio::post(its_loop, [left] { std::move(left->resume)(std::move(left->failed)); });
          });
        }
      },
      asio::use_awaitable, loop, std::move(works));
}

}  // namespace carillon
