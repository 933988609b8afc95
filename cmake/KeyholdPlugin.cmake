# SPDX-License-Identifier: GPL-2.0-only
# keyhold_add_module(NAME source...): something that the server loads, left at build/plugins/NAME.so.
# keyhold_add_plugin(NAME source...): likewise, of Keyhold's core, and installed.
#
# The server finds the descriptor, every service pointer and the SQL functions with dlsym(), so these and nothing else
# are exported.
#
# A module stays in the process until that ends (nodelete), with the libraries that it needs: when a server ends, threads of it
# may be at their end while the plugin is taken out, and the C library then calls what the plugin left with it for that.

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
