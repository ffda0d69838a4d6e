# The CUDA half as one object target, satchel_cuda: kernels/cuda/*.cu and every *_cuda.cpp. They define what none.cpp and *_nocuda.cpp
# decline, and those stay out of the build then. Compiles and links against the CPU-only wheel; runs where the full one is (make setup CUDA=1).
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
enable_language(CUDA)
# CMake 3.25 knows nvcc's dialects up to C++17 only.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)

file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/satchel/*.cu ${CMAKE_SOURCE_DIR}/satchel/*_cuda.cpp)
if(NOT cuda_sources)
  message(FATAL_ERROR "SATCHEL_CUDA is on, but there is no CUDA source in satchel/")
endif()
add_library(satchel_cuda OBJECT ${cuda_sources})
target_link_libraries(satchel_cuda PRIVATE torch::cuda CUDA::cudart fmt::fmt)
