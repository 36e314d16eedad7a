// Asio, its TLS streams and Beast, compiled once for every program (see
// BOOST_ASIO_SEPARATE_COMPILATION in cmake/Carillon.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
