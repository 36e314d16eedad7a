// A shop that cancels an order which is not paid within 30 minutes: a time-out that acts unless it
// is cancelled first. In C++ with Boost.Beast; carillon.h beside this file is the client.
//
//   g++ -std=c++20 -O1 unpaid-order.cc -o unpaid-order -pthread && ./unpaid-order [CARILLON_URL]
//
// With `--clock manual` the example moves the server's clock itself, so nobody has to wait.

#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <thread>

// Boost.JSON's source, in one file of the program.
#include <boost/json/src.hpp>

#include "carillon.h"

namespace {

using carillon_example::Answer;
using carillon_example::Client;
namespace net = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

void check(const Answer& answer, const std::string& what) {
  if (answer.ok()) return;
  std::cerr << what << ": " << answer.status << ' ' << answer.body << '\n';
  std::exit(1);
}

/// What Carillon calls when an order has not been paid in time: answers 204 to one push, and ends
/// with the order's number. A receiver that goes on looks whether the order is still open: pushes
/// may come twice.
std::int64_t receive_one(net::ip::tcp::acceptor& acceptor) {
  net::ip::tcp::socket socket = acceptor.accept();
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> push;
  http::read(socket, buffer, push);
  http::response<http::empty_body> answer(http::status::no_content, push.version());
  answer.keep_alive(false);
  http::write(socket, answer);
  return json::parse(push.body()).at("order").as_int64();
}

json::object time_out_of(std::int64_t order) {
  return {{"id", "order-" + std::to_string(order) + "-unpaid-cc"},
          {"delay", "30m"},
          {"target", "unpaid-orders-cc"},
          {"payload", {{"order", order}}}};
}

int run(const std::string& url) {
  net::io_context context;
  net::ip::tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
  const std::string hook =
      "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/unpaid";
  auto unpaid = std::async(std::launch::async, [&acceptor] { return receive_one(acceptor); });

  Client carillon(url);
  check(carillon.put_target("unpaid-orders-cc", {{"url", hook}}), "the target");
  check(carillon.add(time_out_of(1)), "order 1");
  check(carillon.add(time_out_of(2)), "order 2");

  const auto advance = [&carillon](const char* by) {
    check(carillon.call(http::verb::post, "/v1/clock:advance", json::object{{"by", by}}),
          "the clock");
  };
  advance("29m");
  check(carillon.cancel("order-1-unpaid-cc"), "paying order 1");
  std::cout << "order 1: paid\n";
  advance("1m");
  std::cout << "order " << unpaid.get() << ": cancelled, not paid in time\n";
  Answer late = carillon.cancel("order-2-unpaid-cc");
  std::cout << "order 2: too late: " << late.status << ' ' << late.body.at("title") << '\n';
  return late.status == 409 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "http://127.0.0.1:8080");
  } catch (const std::exception& error) {
    std::cerr << "unpaid-order: " << error.what() << '\n';
    return 1;
  }
}
