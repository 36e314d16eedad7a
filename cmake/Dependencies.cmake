# Everything comes from packages of Debian 12 or 13; tools/setup.sh installs them.

# carillon_find(PACKAGE LEAST BELOW): any version from LEAST up to, but without, BELOW. Packages say in
# different ways which versions they are compatible with: RocksDB 9 denies that it can stand in for 7,
# simdjson 3.12 for 3.0.
macro(carillon_find package least below)
  find_package(${package} REQUIRED)
  if(${package}_VERSION VERSION_LESS ${least} OR NOT ${package}_VERSION VERSION_LESS ${below})
    message(FATAL_ERROR "${package} ${${package}_VERSION} was found; ${least} or newer, below ${below}, is needed")
  endif()
endmacro()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS url)
find_package(OpenSSL 3.0 REQUIRED)
carillon_find(RocksDB 7.8 10)
carillon_find(simdjson 3.0 4)
find_package(fmt 9 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_library(JEMALLOC jemalloc REQUIRED)
find_library(LIBDEFLATE deflate REQUIRED)
find_library(NATS nats REQUIRED)
find_library(HIREDIS hiredis REQUIRED)
find_library(RABBITMQ rabbitmq REQUIRED)
find_library(RDKAFKA rdkafka REQUIRED)
