# `make install`: a tree that can be moved anywhere. Program, recipes, completions, man page; libsatchel.so with its doors and a CMake package;
# beside it the few libraries of the wheel that it loads.
set(SATCHEL_DOORS satchel/image/image.h satchel/predict/predict.h satchel/base/error.h)

# The doors and every header of ours that they include; a door that reaches LibTorch is an error.
function(satchel_door_headers out)
  set(open ${SATCHEL_DOORS})
  set(closed)
  while(open)
    list(POP_FRONT open header)
    if(NOT header IN_LIST closed)
      list(APPEND closed ${header})
      file(STRINGS ${CMAKE_SOURCE_DIR}/${header} lines REGEX "^ *# *include ")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${header})
      foreach(line IN LISTS lines)
        if(line MATCHES "[<\"](torch|ATen|c10)/")
          message(FATAL_ERROR "${header} is part of the installed interface and includes LibTorch: ${line}")
        elseif(line MATCHES "\"(satchel/[^\"]+)\"")
          list(APPEND open ${CMAKE_MATCH_1})
        endif()
      endforeach()
    endif()
  endwhile()
  set(${out} ${closed} PARENT_SCOPE)
endfunction()

add_library(satchel_shared SHARED $<TARGET_OBJECTS:satchel_core> $<TARGET_OBJECTS:satchel_torch>)
set_target_properties(satchel_shared PROPERTIES OUTPUT_NAME satchel EXPORT_NAME satchel VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(satchel_shared PUBLIC fmt::fmt
  PRIVATE torch::cpu $<$<BOOL:${SATCHEL_CUDA}>:satchel_cuda> spdlog::spdlog nlohmann_json::nlohmann_json Threads::Threads JPEG::JPEG PNG::PNG ZLIB::ZLIB PkgConfig::WEBP PkgConfig::YAML)
target_link_options(satchel_shared PRIVATE ${OpenMP_CXX_FLAGS})
target_include_directories(satchel_shared INTERFACE $<INSTALL_INTERFACE:include>)
target_compile_features(satchel_shared INTERFACE cxx_std_20)

set_target_properties(satchel PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
set_target_properties(satchel_shared PROPERTIES INSTALL_RPATH "$ORIGIN")

install(TARGETS satchel)
install(TARGETS satchel_shared EXPORT satchelTargets)
satchel_door_headers(headers)
foreach(header IN LISTS headers)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
endforeach()
install(FILES ${TORCH_LIB}/libtorch_cpu.so ${TORCH_LIB}/libc10.so ${TORCH_LIB}/libgomp.so.1 ${TORCH_CUDART} ${TORCH_CUPTI}
  TYPE LIB PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/satchel)
install(EXPORT satchelTargets NAMESPACE satchel:: DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/satchelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/satchelConfig.cmake ${CMAKE_BINARY_DIR}/satchelConfigVersion.cmake DESTINATION ${package})

install(DIRECTORY ${CMAKE_SOURCE_DIR}/recipes DESTINATION ${CMAKE_INSTALL_DATADIR}/satchel FILES_MATCHING PATTERN "*.toml")
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE TYPE DOC)
install(FILES ${CMAKE_SOURCE_DIR}/docs/man/satchel.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
# The program writes its own completions; that it starts from its new place is thereby seen at once.
install(CODE "
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  foreach(pair \"bash;bash-completion/completions/satchel\" \"zsh;zsh/site-functions/_satchel\")
    list(GET pair 0 shell)
    list(GET pair 1 file)
    execute_process(COMMAND \"\${root}/bin/satchel\" completion \${shell} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    message(STATUS \"Installing: \${root}/${CMAKE_INSTALL_DATADIR}/\${file}\")
    file(WRITE \"\${root}/${CMAKE_INSTALL_DATADIR}/\${file}\" \"\${text}\")
  endforeach()
")
