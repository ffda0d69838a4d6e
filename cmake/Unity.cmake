# All sources of a room compiled as one, where a build from nothing is what counts (preset core). Names of unnamed namespaces must not meet
# there: sources in which they do, because they are variants of one thing, go apart, one of each room together.
set(SATCHEL_APART
  data/folder data/idx data/imagenet data/list data/places365             # readers: each has its holds and find
  image/affine_avx2 image/affine_avx512                                   # one kernel for several instruction sets
  image/resize image/resize_avx2 image/resize_avx512 image/resize_kernels
  image/png                                                               # its passes are not those of colours
  kernels/cpu/batch_norm kernels/cpu/normalize kernels/cpu/subsample_pad  # each has its records
  report/histogram report/html report/intervals report/run_page report/scatter)          # figures: each has its measures
function(satchel_unite target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    # Folders below a room share its namespace.
    if(NOT source MATCHES "^${CMAKE_SOURCE_DIR}/(satchel|tests)/(([^/]+)/.*)\\.cpp$")
      continue()
    endif()
    set(room ${CMAKE_MATCH_3})
    set(group ${room})
    if(CMAKE_MATCH_1 STREQUAL satchel AND CMAKE_MATCH_2 IN_LIST SATCHEL_APART)
      if(NOT DEFINED count_${room})
        set(count_${room} 0)
      endif()
      set(group apart${count_${room}})
      math(EXPR count_${room} "${count_${room}} + 1")
    endif()
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
