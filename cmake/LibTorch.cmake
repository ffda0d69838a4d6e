# LibTorch from the PyPI wheel in .deps: IMPORTED targets torch::cpu and torch::cuda (docs/decisions/0001-libtorch-from-the-wheel.md).
# find_package(Torch) is not used: the wheel's own configuration stops without a CUDA toolkit.
file(GLOB _site "${SATCHEL_DEPS}/venv/lib/python3*/site-packages")
find_path(TORCH_INCLUDE ATen/core/Tensor.h PATHS ${_site}/torch/include NO_DEFAULT_PATH)
if(NOT TORCH_INCLUDE)
  message(FATAL_ERROR "LibTorch is not in ${SATCHEL_DEPS}: run `make setup` first, or configure with -DSATCHEL_TORCH=OFF (preset core)")
endif()
get_filename_component(TORCH_ROOT ${TORCH_INCLUDE} DIRECTORY)
set(TORCH_LIB ${TORCH_ROOT}/lib)
file(STRINGS ${TORCH_INCLUDE}/torch/headeronly/version.h _version REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" TORCH_VERSION "${_version}")
if(TORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch ${TORCH_VERSION} found, 2.11 or newer is needed: run `make setup`")
endif()
file(GLOB _cuda_runtime "${TORCH_ROOT}/../nvidia/*/lib")
file(GLOB TORCH_CUDART "${TORCH_ROOT}/../nvidia/*/lib/libcudart.so.13")
file(GLOB TORCH_CUPTI "${TORCH_ROOT}/../nvidia/*/lib/libcupti.so.13")

add_library(torch::cpu INTERFACE IMPORTED)
# After the system folders: the wheel brings an fmt of its own, which must not meet the one satchel links.
# .cu files include no torch, and nvcc does not know the flag.
target_compile_options(torch::cpu INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter ${TORCH_INCLUDE}>")
target_compile_definitions(torch::cpu INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(torch::cpu INTERFACE ${TORCH_LIB}/libtorch_cpu.so ${TORCH_LIB}/libc10.so)
# libtorch_cpu needs libcudart and libcupti of the wheels, and brings its own libgomp.
set(TORCH_RPATH ${TORCH_LIB} ${_cuda_runtime})
target_link_options(torch::cpu INTERFACE -Wl,--allow-shlib-undefined)

# Needs only the light wheel to compile and link; runs where the full one is (make setup CUDA=1).
add_library(torch::cuda INTERFACE IMPORTED)
target_link_libraries(torch::cuda INTERFACE torch::cpu
  -Wl,--no-as-needed ${TORCH_LIB}/libtorch_cuda.so ${TORCH_LIB}/libc10_cuda.so -Wl,--as-needed)
