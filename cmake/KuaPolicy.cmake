# What every translation unit of ours is compiled with. A library links kua::compile_policy PRIVATE;
# nothing is set globally but the build type, the sanitizer and the compiler launcher.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(KUA_CCACHE ccache)
if(KUA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KUA_CCACHE})
endif()

add_library(kua_compile_policy INTERFACE)
add_library(kua::compile_policy ALIAS kua_compile_policy)
target_compile_features(kua_compile_policy INTERFACE cxx_std_23)
target_include_directories(kua_compile_policy INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(kua_compile_policy INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(kua_compile_policy INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports maybe-uninitialized inside std::variant and coroutine frames that are sound
  # (GCC bugs 105562, 105593); the clang build and the sanitizers look after that class of fault.
  # -Wrestrict likewise reports std::string concatenation of a literal (GCC bug 105651).
  target_compile_options(kua_compile_policy INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
else()
  # libstdc++ 12's stable_sort uses what its own header deprecates.
  target_compile_options(kua_compile_policy INTERFACE -Wno-deprecated-declarations)
endif()

if(KUA_SMALL_PROBE)
  target_compile_options(kua_compile_policy INTERFACE -ffunction-sections)  # probe/order.ld places functions
endif()

if(KUA_SANITIZE)
  add_compile_options(-fsanitize=${KUA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KUA_SANITIZE})
endif()
if(KUA_FUZZ)
  # Coverage for the whole tree; only the fuzz targets themselves link libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
