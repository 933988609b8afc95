# SPDX-License-Identifier: GPL-2.0-only
# keyhold_add_module(NAME source...): a module that the server loads: build/plugins/NAME.so.
# keyhold_add_plugin(NAME source...): a module that contains Keyhold's core and is installed.
#
# The server finds the descriptor, every service pointer and the SQL functions with dlsym(), so these and nothing else
# are exported.
#
# A module and its libraries stay in the process until it ends (nodelete): a server unloads plugins while its last threads end, and
# the C library then calls the functions that the plugin registered for the end of a thread.

function(keyhold_add_module name)
  set(exports ${CMAKE_SOURCE_DIR}/cmake/plugin.map)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES
    C_VISIBILITY_PRESET default # the map decides
    PREFIX "" SUFFIX ".so" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins LINK_DEPENDS ${exports})
  target_link_options(${name} PRIVATE
    LINKER:--version-script=${exports} LINKER:-z,relro,-z,now LINKER:-z,noexecstack LINKER:-z,nodelete)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_link_options(${name} PRIVATE LINKER:--no-undefined)
  endif()
endfunction()

function(keyhold_add_plugin name)
  keyhold_add_module(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE keyhold_server keyhold_core)
  install(TARGETS ${name} LIBRARY DESTINATION ${KEYHOLD_PLUGIN_DIR})
endfunction()
