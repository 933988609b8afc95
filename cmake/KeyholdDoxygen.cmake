# SPDX-License-Identifier: GPL-2.0-only
# doc-html: the pages of include/keyhold (Doxyfile), in doc/html of the build folder. A test makes them too.
set(KEYHOLD_DOXYGEN ${CMAKE_COMMAND} -E env KEYHOLD_VERSION=${PROJECT_VERSION} KEYHOLD_DOC=${CMAKE_BINARY_DIR}/doc
                    doxygen ${CMAKE_SOURCE_DIR}/Doxyfile)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/doc)
add_custom_target(doc-html
  COMMAND ${KEYHOLD_DOXYGEN}
  COMMAND ${CMAKE_COMMAND} -E echo "${CMAKE_BINARY_DIR}/doc/html/index.html"
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} VERBATIM)
