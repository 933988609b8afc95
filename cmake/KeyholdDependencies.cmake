# SPDX-License-Identifier: GPL-2.0-only
# What the project leans on (docs/dependencies.md says why), and where the server's plugin folder is.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(URCU REQUIRED IMPORTED_TARGET liburcu-bp>=0.13)

# The plugin headers of the server (libmariadbd-dev), and the service pointers (libmariadb-dev), which tie a module to the
# versions of the services: only keyhold_bench.so has them.
find_path(MARIADB_SERVER_INCLUDE mysql/plugin_encryption.h PATH_SUFFIXES mariadb/server mysql/server
          REQUIRED DOC "Folder of the server's plugin headers, libmariadbd-dev")
find_library(MARIADB_SERVICES mysqlservices PATH_SUFFIXES mariadb mysql
             REQUIRED DOC "libmysqlservices.a, libmariadb-dev")
add_library(mariadb_plugin_api INTERFACE)
target_include_directories(mariadb_plugin_api SYSTEM INTERFACE ${MARIADB_SERVER_INCLUDE})
target_compile_definitions(mariadb_plugin_api INTERFACE MYSQL_DYNAMIC_PLUGIN)

# The server's plugin folder is where its own plugins are. mariadb_config knows it too, but on Debian names the
# client's, so it comes last.
set(KEYHOLD_PLUGIN_DIR "" CACHE PATH "The server's plugin folder; found when empty")
if(NOT KEYHOLD_PLUGIN_DIR)
  execute_process(COMMAND mariadb_config --plugindir OUTPUT_VARIABLE config_plugin_dir
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_path(SERVER_PLUGIN_DIR file_key_management.so NO_DEFAULT_PATH NO_CACHE
            PATHS /usr/lib/mysql/plugin /usr/lib/mariadb/plugin /usr/lib64/mariadb/plugin /usr/lib64/mysql/plugin
                  ${config_plugin_dir})
  if(SERVER_PLUGIN_DIR)
    set(KEYHOLD_PLUGIN_DIR ${SERVER_PLUGIN_DIR})
  elseif(IS_DIRECTORY "/usr/lib/mysql" OR NOT config_plugin_dir)
    set(KEYHOLD_PLUGIN_DIR /usr/lib/mysql/plugin)
  else()
    set(KEYHOLD_PLUGIN_DIR ${config_plugin_dir})
  endif()
endif()
message(STATUS "Plugin folder: ${KEYHOLD_PLUGIN_DIR}")

# Optional: Intel's libIPSec_MB. Only its header is needed; the library is opened at run time by the soname of that header.
set(IPSEC_MB_SONAME "")
find_path(IPSEC_MB_INCLUDE intel-ipsec-mb.h DOC "Folder of intel-ipsec-mb.h, libipsec-mb-dev")
if(IPSEC_MB_INCLUDE AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  file(STRINGS ${IPSEC_MB_INCLUDE}/intel-ipsec-mb.h version_line REGEX "define IMB_VERSION_STR ")
  string(REGEX REPLACE ".*\"([0-9]+)\\..*" "\\1" version_major "${version_line}")
  set(IPSEC_MB_SONAME "libIPSec_MB.so.${version_major}")
endif()
message(STATUS "Engine ipsec_mb: ${IPSEC_MB_SONAME}")
