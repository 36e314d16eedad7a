// Asio, its TLS streams, Beast and Boost.URL, compiled once for every program (see
// BOOST_ASIO_SEPARATE_COMPILATION in cmake/Carillon.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
#include <boost/url/src.hpp>
