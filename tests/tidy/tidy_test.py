#!/usr/bin/python3
"""tidy is tested like the code it holds: what it must catch and what it must let pass."""
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cpp_text import CppText, blank  # noqa: E402
import layers  # noqa: E402
import tidy  # noqa: E402


def awaits(source: str) -> list[str]:
    return [message for _, message in CppText(source).await_problems()]


class Blank(unittest.TestCase):
    def test_keeps_offsets_and_hides_what_is_no_code(self):
        source = 'a("}{"); // }\n/* {\n*/ b(\'{\'); R"x(})" {)x"; 1\'000; c();\n#define D {\n'
        hidden = blank(source)
        self.assertEqual(len(hidden), len(source))
        self.assertEqual(hidden.count("\n"), source.count("\n"))
        self.assertFalse(set(hidden) & set("{}"))
        self.assertIn("c();", hidden)


class Awaits(unittest.TestCase):
    BAD = {
        "an aggregate": "awaitable<int> f() { co_return co_await g(Options{1, 2}); }",
        "a braced list": "awaitable<void> f() { co_await g({1, 2}); }",
        "a braced list in a later argument": "awaitable<void> f() { auto x = h(co_await g(), {1}); }",
        "an aggregate around it": "awaitable<void> f() { use(Result{.a = co_await g()}); }",
        "an aggregate initialised by it": "awaitable<void> f() { Result r{co_await g()}; }",
        "inside a condition": "awaitable<void> f() { if (co_await g(A{})) { h(); } }",
        "a capturing lambda": "awaitable<void> f() { co_await g([&] { return 1; }); }",
        "a lambda that captures this": "awaitable<void> f() { co_await g([this](int) { run(); }, 1); }",
        "over several lines": "awaitable<void> f() {\n  co_await g(\n      x,\n      Options{\n          1});\n}",
        "in a ternary": "awaitable<void> f() { auto x = a ? co_await g() : A{}; }",
        "in a method": "struct S { awaitable<void> f() const { co_await g({}); } };",
        "in a lambda coroutine": "auto l = []() -> awaitable<void> { co_await g({}); };",
    }
    GOOD = {
        "named first": "awaitable<void> f() { Options o{1, 2}; co_await g(o); }",
        "braces of the statement before": "awaitable<void> f() { const A a = {1}; co_await g(a); }",
        "braces of the statement after": "awaitable<void> f() { co_await g(); const A a = {1}; }",
        "a block before": "awaitable<void> f() { if (x) { y(); } co_await g(); }",
        "the block of its own condition": "awaitable<void> f() { if (co_await g()) { A a{1}; } else { h({}); } }",
        "a loop": "awaitable<void> f() { while (true) { A a{}; co_await g(a); } }",
        "a for with braces in its body": "awaitable<void> f() { for (int i = 0; i < co_await g(); ++i) { A a{i}; } }",
        "a lambda without captures": "awaitable<void> f() { co_await g([](int x) { return x; }); }",
        "a structured binding": "awaitable<void> f() { const auto [a, b] = co_await g(); }",
        "a subscript": "awaitable<void> f() { x[i] = co_await g(y[j]); }",
        "a spawned lambda with its own await": "void f() { co_spawn(e, []() -> awaitable<void> { co_await g(); }, t); }",
        "braces inside the lambda's body": "awaitable<void> f() { co_await g([] { A a{1}; return a; }); }",
        "operators": "awaitable<void> f() { auto r = co_await (a() || b(use_awaitable)); }",
        "in a comment": "awaitable<void> f() { co_await g(); }  // not: co_await g({1})",
        "a case label": "awaitable<void> f() { switch (x) { case A::b: co_await g(); break; } }",
        "after a constructor with braces": "struct S { S() : a_{1} {} awaitable<void> f() { co_await g(); } };",
    }

    def test_bad_shapes_are_caught(self):
        for says, source in self.BAD.items():
            with self.subTest(says):
                self.assertTrue(awaits(source))

    def test_good_shapes_pass(self):
        for says, source in self.GOOD.items():
            with self.subTest(says):
                self.assertEqual(awaits(source), [])

    def test_the_line_is_named(self):
        self.assertEqual([line for line, _ in CppText("\n\nA f() {\n  co_await g({});\n}").await_problems()], [4])


class Lambdas(unittest.TestCase):
    BAD = {
        "a capturing coroutine": "auto l = [x]() -> awaitable<void> { co_await x.run(); };",
        "that only returns": "f([this](Request r) -> Answer { co_return on(r); });",
        "everything by value": "auto l = [=] { return x; };",
        "everything by value and more": "auto l = [=, &y] { return x; };",
    }
    GOOD = {
        "a coroutine without captures": "auto l = []() -> awaitable<void> { co_await g(); };",
        "a capture and no coroutine": "auto l = [x] { return x; };",
        "a capture around a coroutine": "auto l = [x] { return [](int y) -> A { co_return y; }(x); };",
        "a subscript": "x[y] = z;",
        "everything by reference and no coroutine": "auto l = [&] { return x; };",
    }

    def test_bad_ones_are_caught(self):
        for says, source in self.BAD.items():
            with self.subTest(says):
                self.assertTrue(list(CppText(source).lambda_problems()))

    def test_good_ones_pass(self):
        for says, source in self.GOOD.items():
            with self.subTest(says):
                self.assertEqual(list(CppText(source).lambda_problems()), [])


class Switches(unittest.TestCase):
    def test_default_over_our_enum_is_caught(self):
        source = "void f() { switch (x) { case State::ok: return; default: g(); } }"
        self.assertTrue(list(CppText(source).switch_problems()))
        nested = "void f() { switch (n) { case 1: switch (x) { case a::State::ok: break; default: g(); } } }"
        self.assertTrue(list(CppText(nested).switch_problems()))

    def test_others_pass(self):
        for source in ("void f() { switch (x) { case State::ok: return; case State::down: g(); } }",
                       "void f() { switch (x) { case 4: return; default: g(); } }",
                       "void f() { switch (x) { case kOne: return; default: g(); } }",
                       "void f() { switch (x) { case http::verb::get: return; default: g(); } }",
                       "void f() { switch (x) { case State::ok: switch (n) { case 1: break; default: g(); } } }"):
            self.assertEqual(list(CppText(source).switch_problems()), [], source)


class Functions(unittest.TestCase):
    def sizes(self, source: str) -> dict[str, int]:
        return {name: count for name, _, count in CppText(source).functions()}

    def test_are_told_from_types_and_lists(self):
        source = ("#include <x>\nnamespace a {\nstruct S {\n  int f() const {\n    return 1;\n  }\n"
                  "  S() : a_{1},\n        b_(2) {\n  }\n};\n"
                  "constexpr Row kRows[] = {\n  {1},\n  {2},\n};\n"
                  "template <typename T>\nauto g(T x) -> std::vector<T> {\n  const auto l = [&](int y) {\n"
                  "    return y;\n  };\n  if (x) {\n    l(1);\n  }\n  return {x};\n}\n}\n")
        self.assertEqual(self.sizes(source), {"f": 3, "S": 3, "g": 10})

    def test_a_lambda_counts_with_its_function(self):
        body = "\n".join("  x();" for _ in range(80))
        self.assertEqual(self.sizes(f"void f() {{\n  auto l = [] {{\n{body}\n  }};\n}}")["f"], 84)


class Includes(unittest.TestCase):
    def problems(self, path: str, source: str) -> list[str]:
        known = {"measurement/time.h", "wire/bytes.h", "collector/store/store.h", "platform/clock/clock.h",
                 "verdict/judge.h", "probe/limits.h", "collector/detect/onset.h"}
        return [message for _, message in layers.include_problems(path, source, known.__contains__)]

    def test_wrong_directions_are_caught(self):
        for path, name in (("probe/a.cc", '"collector/store/store.h"'), ("collector/a.cc", '"probe/limits.h"'),
                           ("wire/a.cc", '"verdict/judge.h"'), ("measurement/a.cc", '"wire/bytes.h"'),
                           ("platform/a.cc", '"wire/bytes.h"'), ("wire/a.cc", '"platform/clock/clock.h"'),
                           ("collector/detect/a.cc", '"collector/store/store.h"'), ("wire/a.cc", "<fstream>"),
                           ("verdict/a.cc", "<boost/json.hpp>"), ("probe/uplink/a.cc", "<sqlite3.h>"),
                           ("collector/ingest/a.cc", "<zstd.h>"), ("protocol/a.cc", "<boost/asio.hpp>"),
                           ("probe/spool/a.cc", "<openssl/ssl.h>"), ("wire/a.cc", '"bytes.h"')):
            with self.subTest(f"{path} {name}"):
                self.assertTrue(self.problems(path, f"#include {name}\n"))

    def test_right_directions_pass(self):
        for path, name in (("probe/a.cc", '"verdict/judge.h"'), ("wire/a.cc", '"measurement/time.h"'),
                           ("collector/detect/a.cc", '"measurement/time.h"'), ("wire/a.cc", "<vector>"),
                           ("collector/detect/a.cc", '"collector/detect/onset.h"'),
                           ("platform/sqlite/a.cc", "<sqlite3.h>"), ("probe/step/a.cc", "<ares.h>"),
                           ("tests/unit/platform/a.cc", "<zstd.h>"), ("probe/a.cc", "<thread>")):
            with self.subTest(f"{path} {name}"):
                self.assertEqual(self.problems(path, f"#include {name}\n"), [])

    def test_a_pure_part_reads_no_clock(self):
        self.assertTrue(list(layers.purity_problems("verdict/a.cc", "auto t = clock::now();")))
        self.assertTrue(list(layers.purity_problems("wire/a.cc", "time(nullptr);")))
        self.assertEqual(list(layers.purity_problems("probe/a.cc", "auto t = clock::now();")), [])
        self.assertEqual(list(layers.purity_problems("wire/a.cc", "know(x); offset_time(x);")), [])


class Tree(unittest.TestCase):
    """check_tree over a small tree, sound until one thing is changed."""

    SOUND = {
        "CMakeLists.txt": "add_subdirectory(wire)\nadd_subdirectory(tests)\n",
        "wire/CMakeLists.txt": "add_library(kua_wire a.cc)\nadd_library(kua::wire ALIAS kua_wire)\n"
                               "target_link_libraries(kua_wire PRIVATE kua::compile_policy)\n",
        "wire/a.h": "// What the first part of this small tree is for and what it never does.\n#pragma once\n",
        "wire/a.cc": '#include "wire/a.h"\n',
        "tests/CMakeLists.txt": "add_subdirectory(fuzz)\nadd_executable(a unit/a_test.cc)\n",
        "tests/unit/a_test.cc": "TEST(A, IsA) { EXPECT_TRUE(true); }\n",
        "tests/fuzz/CMakeLists.txt": "kua_add_fuzz_target(name kua::wire)\n",
        "tests/fuzz/name.cc": "int f() { return 0; }\n",
        "tests/fuzz/corpus/name/seed": "x",
    }

    def checks(self, **changes: str | None) -> set[str]:
        """Names of the checks that fail. A key has '/' as '__' and '.' as '_dot_'."""
        files = dict(self.SOUND)
        for key, content in changes.items():
            path = key.replace("__", "/").replace("_dot_", ".")
            if content is None:
                del files[path]
            else:
                files[path] = content
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                target = pathlib.Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8")
            return {problem.check for problem in tidy.check_tree(pathlib.Path(folder))}

    def test_a_sound_tree_passes(self):
        self.assertEqual(self.checks(), set())

    def test_each_breach_is_caught(self):
        long_function = "void f() {\n" + "  g();\n" * 80 + "}\n"
        cases = [
            ("file_size", {"wire__a_dot_cc": "int x;\n" * 501}),
            ("function_size", {"wire__a_dot_cc": long_function}),
            ("function_size", {"tests__run_dot_py": "def f():\n" + "    g()\n" * 80}),
            ("co_await", {"wire__a_dot_cc": "A f() { co_await g({}); }\n"}),
            ("header_prose", {"wire__a_dot_h": "#pragma once\n"}),
            ("header_prose", {"wire__a_dot_h": "// Bytes.\n#pragma once\n"}),
            ("not_built", {"tests__unit__b_test_dot_cc": "TEST(B, IsB) {}\n"}),
            ("not_built", {"tests__CMakeLists_dot_txt": "add_subdirectory(fuzz)\n# unit/a_test.cc\n"}),
            ("not_built", {"CMakeLists_dot_txt": "add_subdirectory(tests)\n"}),
            ("corpus", {"tests__fuzz__corpus__name__seed": None}),
            ("corpus", {"tests__fuzz__corpus__gone__seed": "x"}),
            ("corpus", {"tests__fuzz__corpus__name__big": "x" * 700_000}),
            ("unfinished", {"wire__a_dot_cc": "// TO" "DO later\n"}),
            ("unfinished", {"run_dot_sh": "echo not imple" "mented\n"}),
            ("shapeless_name", {"wire__util_dot_h": self.SOUND["wire/a.h"]}),
            ("sleep", {"tests__unit__a_test_dot_cc": "TEST(A, B) { std::this_thread::sleep_for(x); }\n"}),
            ("throw", {"wire__a_dot_cc": "void f() { throw 1; }\n"}),
            ("bool_parameter", {"wire__a_dot_h": self.SOUND["wire/a.h"] + "void f(int x, bool fast = true);\n"}),
            ("bool_parameter", {"wire__a_dot_h": self.SOUND["wire/a.h"] + "void f(const bool fast);\n"}),
            ("using_namespace", {"wire__a_dot_h": self.SOUND["wire/a.h"] + "using namespace std;\n"}),
            ("layer", {"wire__CMakeLists_dot_txt": self.SOUND["wire/CMakeLists.txt"].replace(
                "PRIVATE", "PRIVATE Boost::json")}),
            ("layer", {"wire__CMakeLists_dot_txt": self.SOUND["wire/CMakeLists.txt"].replace(
                "PRIVATE", "PRIVATE kua::nothing")}),
            ("allowed", {"tests__tidy__allowed_dot_txt": "layer wire/a.cc for a reason\n"}),
        ]
        for check, changes in cases:
            with self.subTest(f"{check} {sorted(changes)}"):
                self.assertIn(check, self.checks(**changes))

    def test_a_bool_that_is_no_parameter_passes(self):
        header = self.SOUND["wire/a.h"] + "struct S { bool a = true; bool f() const; bool operator()(int) const; };\n"
        self.assertEqual(self.checks(wire__a_dot_h=header), set())

    def test_a_reason_excuses(self):
        self.assertEqual(self.checks(wire__a_dot_cc="#include <fstream>\n",
                                     tests__tidy__allowed_dot_txt="layer wire/a.cc for a reason\n"), set())


if __name__ == "__main__":
    unittest.main()
