# Several sources compiled as one, where a build from nothing is what counts (preset core). Names of unnamed namespaces must not meet, so a
# group holds one source of each folder at most: the first of every folder, the second of every folder, …
function(satchel_unite target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    # Folders below a room share its namespace.
    if(NOT source MATCHES "^${CMAKE_SOURCE_DIR}/((satchel|tests)/[^/]+)/")
      continue()
    endif()
    string(MAKE_C_IDENTIFIER "${CMAKE_MATCH_1}" room)
    if(NOT DEFINED count_${room})
      set(count_${room} 0)
    endif()
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP group${count_${room}})
    math(EXPR count_${room} "${count_${room}} + 1")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
