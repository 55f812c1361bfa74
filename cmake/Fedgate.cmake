# What every folder of this house shares: compiler settings, found libraries, and the one-line description of a folder.
#
#   fedgate_library(NAME [GRPC_TESTS] [DEPS targets…])      all *.cc here but *_test.cc become library fedgate_NAME;
#                                              all *_test.cc here become the test program NAME_test
#   fedgate_program(PROGRAM SOURCE [DEPS …])   an executable in build/<preset>/bin

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

option(FEDGATE_LIBFUZZER "build tests/fuzz as libFuzzer programs" OFF)
set(FEDGATE_SANITIZE "" CACHE STRING "value for -fsanitize=, empty for none")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers -Werror=return-type -fno-omit-frame-pointer
  -fstack-protector-strong)
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_BIND_NO_PLACEHOLDERS)
add_link_options(-fuse-ld=lld)
if(FEDGATE_SANITIZE)
  add_compile_options(-fsanitize=${FEDGATE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FEDGATE_SANITIZE})
  add_compile_definitions(FEDGATE_SANITIZED=1)
else()
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

include_directories("${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/gen")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
foreach(pair "grpc;grpc++" "protobuf;protobuf" "sqlite;sqlite3" "openssl;openssl" "expat;expat" "strophe;libstrophe"
             "icu;icu-uc" "icu_i18n;icu-i18n" "idn;libidn2" "spdlog;spdlog")
  list(GET pair 0 name)
  list(GET pair 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(fedgate_ext_${name} INTERFACE)
  target_link_libraries(fedgate_ext_${name} INTERFACE PkgConfig::${name})
endforeach()
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(doctest REQUIRED)
find_package(mimalloc 2.0 REQUIRED)

enable_testing()

# The doctest main, compiled once.
file(WRITE "${CMAKE_BINARY_DIR}/doctest_main.cc.in"
  "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n")
configure_file("${CMAKE_BINARY_DIR}/doctest_main.cc.in" "${CMAKE_BINARY_DIR}/doctest_main.cc" COPYONLY)
add_library(fedgate_doctest_main STATIC "${CMAKE_BINARY_DIR}/doctest_main.cc")
target_link_libraries(fedgate_doctest_main PUBLIC doctest::doctest)

# GRPC: the test hands data over through gRPC, whose locks ThreadSanitizer cannot see (the library is not instrumented): every handover would look like a race. Built, but not run under it.
function(fedgate_test NAME)
  cmake_parse_arguments(ARG "GRPC" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE fedgate_doctest_main ${ARG_DEPS})
  if(NOT (ARG_GRPC AND FEDGATE_SANITIZE STREQUAL "thread"))
    add_test(NAME ${NAME} COMMAND ${NAME} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  endif()
endfunction()

function(fedgate_library NAME)
  cmake_parse_arguments(ARG "GRPC_TESTS" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(fedgate_${NAME} STATIC ${sources})
    target_link_libraries(fedgate_${NAME} PUBLIC ${ARG_DEPS})
  else()
    add_library(fedgate_${NAME} INTERFACE)
    target_link_libraries(fedgate_${NAME} INTERFACE ${ARG_DEPS})
  endif()
  if(tests)
    set(grpc "")
    if(ARG_GRPC_TESTS)
      set(grpc GRPC)
    endif()
    fedgate_test(${NAME}_test ${grpc} SOURCES ${tests} DEPS fedgate_${NAME})
  endif()
endfunction()

function(fedgate_program PROGRAM SOURCE)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  add_executable(${PROGRAM} ${SOURCE})
  # Replaces malloc: messages are made on one thread and freed on another, for which glibc's costs the core a third of its time (tests/bench/README.md). A sanitizer brings its own.
  if(NOT FEDGATE_SANITIZE)
    target_link_libraries(${PROGRAM} PRIVATE mimalloc)
  endif()
  target_link_libraries(${PROGRAM} PRIVATE ${ARG_DEPS})
endfunction()
