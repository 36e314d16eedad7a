# What every target is compiled with, and the three functions that declare one.

add_library(carillon_flags INTERFACE)
target_compile_options(carillon_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fno-omit-frame-pointer)
# What GCC 12 gets wrong: overlapping copies in every optimised `"literal" + std::string` (its bug 105651),
# a coroutine frame's own operator delete paired with the wrong operator new when it is inlined, and
# optional values of sanitized builds that it takes for uninitialised.
target_compile_options(carillon_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-mismatched-new-delete;-Wno-maybe-uninitialized>)
# libstdc++'s own stable_sort calls what it has deprecated, which only Clang warns of.
target_compile_options(carillon_flags INTERFACE
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
target_include_directories(carillon_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(carillon_flags INTERFACE Threads::Threads)
# Asio and Beast are compiled once, in net/asio.cc, and not in every file that includes them.
target_compile_definitions(carillon_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ALLOW_DEPRECATED_HEADERS)
# Asio takes the memory of coroutines and operations by aligned_alloc, for which glibc has no fast
# path (2.36: six times the instructions of malloc, eleven times a request). All of it is aligned
# as malloc aligns anyway.
target_compile_definitions(carillon_flags INTERFACE
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN)
if(CARILLON_SANITIZE)
  target_compile_options(carillon_flags INTERFACE
    -fsanitize=${CARILLON_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(carillon_flags INTERFACE -fsanitize=${CARILLON_SANITIZE})
  # Asio's fences are no-ops to the thread sanitizer, which GCC warns of in every file.
  target_compile_options(carillon_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()

# carillon_library(NAME SOURCES ... LINKS ...): the folder's library, carillon_NAME.
function(carillon_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(carillon_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(carillon_${name} PUBLIC ${ARG_LINKS} carillon_flags)
endfunction()

# carillon_program(NAME SOURCES ... LINKS ...): an executable in bin/.
function(carillon_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} carillon_flags)
endfunction()

# carillon_test(NAME SOURCES ... LINKS ...): a GoogleTest program that CTest runs whole.
function(carillon_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} carillon_flags GTest::gmock GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(CARILLON_SANITIZE)
    math(EXPR ARG_TIMEOUT "10 * ${ARG_TIMEOUT}")
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# carillon_test_on_loops(NAME): also with connections on the engine's own loop, and on three threads.
function(carillon_test_on_loops name)
  foreach(threads 0 3)
    add_test(NAME ${name}_threads_${threads} COMMAND ${name})
    set_tests_properties(${name}_threads_${threads} PROPERTIES
      TIMEOUT 120 ENVIRONMENT CARILLON_TEST_HTTP_THREADS=${threads})
  endforeach()
endfunction()
