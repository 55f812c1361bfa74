"""Runs the test programs that CMake knows of and counts test cases. Used by tests/run; needs nothing but Python.

  run_programs.py BUILD_FOLDER [--jobs N] [--limit SECONDS] [--counts FILE] [NAME …]

A doctest program counts with its test cases, any other program as one. A program that crashes, hangs or ends with an error
although its cases passed is one more failure.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


def known_tests(folder):
    listing = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(listing.stdout)["tests"]:
        if "command" in test:
            where = next((p["value"] for p in test.get("properties", []) if p["name"] == "WORKING_DIRECTORY"), folder)
            yield test["name"], test["command"], where


def run(test, limit_s):
    name, command, where = test
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1", "UBSAN_OPTIONS": "print_stacktrace=1", "TSAN_OPTIONS": "second_deadlock_stack=1"}
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s, env=environment)
        status, out = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        status, out = f"no end within {limit_s} s", (late.stdout or b"").decode(errors="replace")
    except OSError as error:
        status, out = f"not startable: {error}", ""
    counted = DOCTEST.findall(out)
    if counted:
        passed, failed = (sum(int(pair[i]) for pair in counted) for i in (0, 1))
        if status != 0 and not failed:
            failed = 1
    else:
        passed, failed = (1, 0) if status == 0 else (0, 1)
    return name, passed, failed, status, out, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=900)
    parser.add_argument("--counts")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_intermixed_args()
    tests = [test for test in known_tests(arguments.folder) if not arguments.names or any(name in test[0] for name in arguments.names)]
    total_passed = total_failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, passed, failed, status, out, took in pool.map(lambda test: run(test, arguments.limit), tests):
            total_passed += passed
            total_failed += failed
            print(f"  {name}: {passed} passed, {failed} failed ({took:.1f} s)" + ("" if status == 0 else f", exit status {status}"), flush=True)
            if failed:
                print("\n".join("    " + line for line in out.splitlines()[-60:]), flush=True)
    if arguments.counts:
        with open(arguments.counts, "w") as file:
            file.write(f"{total_passed} {total_failed}\n")
    return 1 if total_failed else 0


if __name__ == "__main__":
    sys.exit(main())
