# SPDX-License-Identifier: GPL-2.0-only
# The manual pages: docs/man/*.in, with docs/man/parts/NAME.man instead of @NAME@, and the examples of --help instead of
# @EXAMPLES@. Text that several pages have is a part, written once.
set(man ${CMAKE_CURRENT_SOURCE_DIR}/docs/man)
file(GLOB parts CONFIGURE_DEPENDS ${man}/parts/*.man)
foreach(part ${parts})
  get_filename_component(name ${part} NAME_WE)
  string(TOUPPER ${name} name)
  file(READ ${part} text)
  string(REGEX REPLACE "\n$" "" ${name} "${text}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${part})
endforeach()

# The rows of examples.def, as KH_CLI_EXAMPLE("slot add" "purpose" "line"); a ";" is an item's end to CMake, so it is put back later.
set(examples_file ${CMAKE_CURRENT_SOURCE_DIR}/src/cli/args/examples.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${examples_file})
file(READ ${examples_file} text)
string(REPLACE ";" "<semicolon>" text "${text}")
string(REGEX REPLACE "\"[ \n]+\"" "" text "${text}") # strings side by side are one
string(REGEX MATCHALL "KH_CLI_EXAMPLE\\(\"[^\"]*\",[ \n]*\"[^\"]*\",[ \n]*\"[^\"]*\"\\)" rows "${text}")

# The examples of all commands that a page is about, as manual page source.
function(list_examples command ret_text)
  set(text "")
  foreach(row ${rows})
    if(row MATCHES "\\(\"${command}\",[ \n]*\"([^\"]*)\",[ \n]*\"([^\"]*)\"")
      set(purpose "${CMAKE_MATCH_1}")
      string(REPLACE "\\n" "\n    " line "${CMAKE_MATCH_2}")
      string(REPLACE "\\\\" "\\e" line "${line}")
      string(REPLACE "-" "\\-" line "${line}")
      string(REPLACE "<semicolon>" ";" line "${line}")
      string(REPLACE "<semicolon>" ";" purpose "${purpose}")
      string(APPEND text ".PP\n${purpose}:\n.PP\n.nf\n    ${line}\n.fi\n")
    endif()
  endforeach()
  string(REGEX REPLACE "^.PP\n|\n$" "" text "${text}")
  set(${ret_text} "${text}" PARENT_SCOPE)
endfunction()

file(GLOB pages CONFIGURE_DEPENDS ${man}/*.in)
foreach(page ${pages})
  get_filename_component(name ${page} NAME_WLE)
  string(REGEX MATCH "[0-9]$" section ${name})
  string(REGEX REPLACE "^keyhold-?|\\.[0-9]$" "" command ${name})
  string(REGEX REPLACE "^slot$" "slot [a-z]+" command "${command}")
  list_examples("${command}" EXAMPLES)
  configure_file(${page} ${CMAKE_BINARY_DIR}/man/man${section}/${name} @ONLY)
endforeach()

# "man keyhold slot add" looks for this one
foreach(name list add change remove)
  file(WRITE ${CMAKE_BINARY_DIR}/man/man1/keyhold-slot-${name}.1 ".so man1/keyhold-slot.1\n")
endforeach()

install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
