"""What programs are built against: headers, exports, the installed tree."""

import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("ISMS_BUILD", ROOT / "build-test"))
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", prefix)
    return prefix


def flags(prefix, *what):
    path = next(prefix.rglob("libisms.pc")).parent
    return run("pkg-config", f"--define-variable=prefix={prefix}", *what, "libisms",
               env={**os.environ, "PKG_CONFIG_PATH": str(path)}).split()


LANGUAGES = {"C99": ["gcc", "-std=c99", "-xc"], "C++": ["g++", "-std=c++11", "-xc++"],
             "C++20": ["g++", "-std=c++20", "-xc++"]}


@pytest.mark.parametrize("header", ["isms/isms.h", "isms/api.h"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_public_headers_compile_alone(installed, header, language):
    run(*LANGUAGES[language], *STRICT, *flags(installed, "--cflags"), "-",
        input=f"#include <{header}>\n")


def test_the_main_header_needs_no_other(installed):
    alone = installed / "alone" / "isms"
    alone.mkdir(parents=True)
    (alone / "isms.h").write_bytes((ROOT / "client/include/isms/isms.h").read_bytes())
    run("gcc", "-std=c99", *STRICT, "-I", alone.parent, "-xc", "-", input="#include <isms/isms.h>\n")


def test_exports_are_the_listed_and_the_declared_ones():
    listed = (HERE / "exports.txt").read_text().split()
    library = BUILD / "client" / "libisms.so"
    out = run("nm", "-D", "--defined-only", library)
    exported = {line.split()[-1].split("@")[0] for line in out.splitlines()
                if line.split()[-2] != "A"}
    exported = {name for name in exported if not name.startswith(("__asan", "__odr_asan"))}
    header = (ROOT / "client/include/isms/isms.h").read_text()
    declared = set(re.findall(r"ISMS_EXPORT[^;(]*?\b(isms_\w+)\(", header))
    assert exported == set(listed) == declared
    assert listed == sorted(listed)
    assert "soname: [libisms.so.0.1]" in run("readelf", "-d", library)


def test_the_library_knows_no_message_of_the_api():
    out = run("nm", BUILD / "client" / "libisms.so")
    assert "google__rpc__status__descriptor" in out
    assert "isms__" not in out
    assert b"isms.v1.Risk" not in (BUILD / "client" / "libisms.so").read_bytes()


def test_a_program_builds_from_the_installed_tree(installed):
    sanitize = ["-fsanitize=address,undefined"] if "__asan_init" in run(
        "nm", "-D", BUILD / "client" / "libisms.so") else []
    program = installed / "example"
    run("gcc", "-std=c11", "-Wall", "-Werror", *sanitize, *flags(installed, "--cflags"), "-o",
        program, ROOT / "client/examples/submit_treatment.c", *flags(installed, "--libs"),
        f"-Wl,-rpath,{next(installed.rglob('libisms.so')).parent}")
    done = subprocess.run([program], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.startswith("usage: ")


@pytest.mark.parametrize("example", sorted((ROOT / "client/examples").glob("*.c")),
                         ids=lambda p: p.name)
def test_examples_are_short(example):
    assert len(example.read_text().splitlines()) < 80
