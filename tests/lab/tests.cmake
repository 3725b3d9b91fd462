# Skipped with its reason where namespaces or TUN devices cannot be made (exit status 77).
set(lab ${PROJECT_SOURCE_DIR}/tests/lab)
file(GLOB_RECURSE lab_all_scenarios CONFIGURE_DEPENDS ${lab}/scenarios/*.yaml)
# What waits out many deadlines is played nightly, and on demand: ./test -C nightly -L nightly
set(lab_scenarios ${lab_all_scenarios})
list(FILTER lab_scenarios EXCLUDE REGEX "/scenarios/full/")

add_test(NAME lab.reader COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/lab/scenario_test.py)
add_test(NAME lab.cases COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/lab/cases_test.py)
add_test(NAME lab.selftest COMMAND /usr/bin/python3 ${lab}/selftest --build ${PROJECT_BINARY_DIR})
add_test(NAME lab.scenarios
  COMMAND /usr/bin/python3 ${lab}/run --jobs 2 --build ${PROJECT_BINARY_DIR} ${lab_scenarios})
add_test(NAME lab.nightly CONFIGURATIONS nightly
  COMMAND /usr/bin/python3 ${lab}/run --jobs 2 --build ${PROJECT_BINARY_DIR} ${lab_all_scenarios})
set_tests_properties(lab.nightly PROPERTIES
  LABELS nightly SKIP_RETURN_CODE 77 RUN_SERIAL TRUE TIMEOUT 1800)
set_tests_properties(lab.reader lab.cases PROPERTIES LABELS unit TIMEOUT 60)
# Both want the machine for themselves: what they wait for has deadlines.
set_tests_properties(lab.selftest lab.scenarios PROPERTIES
  LABELS lab SKIP_RETURN_CODE 77 RUN_SERIAL TRUE)
set_tests_properties(lab.selftest PROPERTIES TIMEOUT 180)
set_tests_properties(lab.scenarios PROPERTIES TIMEOUT 900)
