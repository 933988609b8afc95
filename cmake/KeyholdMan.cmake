# SPDX-License-Identifier: GPL-2.0-only
# The manual pages: docs/man/*.in, with docs/man/parts/NAME.man in the place of @NAME@. Text that several pages have is a part, written
# once.
set(man ${CMAKE_CURRENT_SOURCE_DIR}/docs/man)
file(GLOB parts CONFIGURE_DEPENDS ${man}/parts/*.man)
foreach(part ${parts})
  get_filename_component(name ${part} NAME_WE)
  string(TOUPPER ${name} name)
  file(READ ${part} text)
  string(REGEX REPLACE "\n$" "" ${name} "${text}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${part})
endforeach()

file(GLOB pages CONFIGURE_DEPENDS ${man}/*.in)
foreach(page ${pages})
  get_filename_component(name ${page} NAME_WLE)
  string(REGEX MATCH "[0-9]$" section ${name})
  configure_file(${page} ${CMAKE_BINARY_DIR}/man/man${section}/${name} @ONLY)
endforeach()

# "man keyhold slot add" looks for this one
foreach(name list add change remove)
  file(WRITE ${CMAKE_BINARY_DIR}/man/man1/keyhold-slot-${name}.1 ".so man1/keyhold-slot.1\n")
endforeach()

install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
