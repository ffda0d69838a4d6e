# find_package(satchel): gives satchel::satchel, the library behind satchel/predict/predict.h and satchel/image/image.h.
include(CMakeFindDependencyMacro)
find_dependency(fmt)
include(${CMAKE_CURRENT_LIST_DIR}/satchelTargets.cmake)
