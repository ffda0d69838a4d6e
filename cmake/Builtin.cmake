# Recipes and experiments inside the program: one generated source with every TOML file under recipes/ and experiments/.
file(GLOB_RECURSE BUILTIN_TOML CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/recipes/*.toml ${CMAKE_SOURCE_DIR}/experiments/*.toml)
set(BUILTIN_SOURCE ${CMAKE_BINARY_DIR}/builtin_files.cpp)
add_custom_command(OUTPUT ${BUILTIN_SOURCE}
  COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/embed.py ${CMAKE_SOURCE_DIR} ${BUILTIN_SOURCE} ${BUILTIN_TOML}
  DEPENDS ${BUILTIN_TOML} ${CMAKE_SOURCE_DIR}/tools/embed.py VERBATIM)
