#!/bin/sh
# Builds the package with checks at run time, runs tests, and reports what they found.
#
#   sh inst/validation/sanitizers.sh [kind ...]                 from the package's folder
#
# assertions: Eigen's and the standard library's, of sizes and indices; address: the sanitizers of
# addresses and undefined behaviour; thread: that of threads. All by default. Threads are those of
# RcppParallel's own small backend (tinythread), since Intel's library is not built for sanitizers.
# HMVN_TESTS: a regular expression of the tests' files, each run by a process of its own; HMVN_JOBS:
# how many compilers at a time. HMVN_PATIENCE tells the tests that time it that the core may take
# ten times as long. R itself leaks on purpose: leaks are not looked for. Results:
# results/sanitizers_*.txt beside this file. The script fails if there is a report with our own code
# in it, if a test fails, or if a process ends before its tests do.
set -u
kinds="${*:-assertions address thread}"
core='core-|known|between|frame|impute|log_lik|new_rows|new_group|statistics|update|fuzz'
tests="${HMVN_TESTS:-$core|diagnostics|sample_chains|many_groups|parallel}"
results=inst/validation/results
status=0
mkdir -p "$results"

# What is loaded before R, which was not built with sanitizers: theirs, and that of C++, whose
# exceptions they watch.
preloaded() {
  for library in "$@"; do printf '%s ' "$(g++ -print-file-name="$library")"; done
}

for kind in $kinds; do
  patience=10
  case "$kind" in
    assertions) flags="-UNDEBUG -D_GLIBCXX_ASSERTIONS"; preload=""; patience=1 ;;
    address)
      flags="-fsanitize=address,undefined,float-cast-overflow -fsanitize-recover=all"
      preload=$(preloaded libasan.so libubsan.so libstdc++.so.6) ;;
    thread) flags="-fsanitize=thread"; preload=$(preloaded libtsan.so libstdc++.so.6) ;;
    *) echo "unknown: $kind"; exit 2 ;;
  esac
  folder=$(mktemp -d)
  cp -R . "$folder/source"
  find "$folder/source/src" \( -name '*.o' -o -name '*.so' \) -delete
  mkdir "$folder/lib"
  {
    echo "CXX17 = g++"
    echo "CXX17FLAGS = -O1 -fPIC -fno-omit-frame-pointer $flags"
    [ "$kind" = assertions ] || echo "SHLIB_CXX17LDFLAGS = -shared $flags"
  } > "$folder/user.mk"
  # the package's Makevars leaves debug symbols out; reports need lines
  R_MAKEVARS_USER="$folder/user.mk" \
    MAKEFLAGS="-j${HMVN_JOBS:-1} HMVN_FLAGS=-g1\ -fno-delete-null-pointer-checks" \
    R CMD INSTALL --no-docs --no-test-load --library="$folder/lib" "$folder/source" \
    > "$folder/install.log" 2>&1 || { tail -5 "$folder/install.log"; exit 1; }
  cat > "$folder/run.R" <<'R'
library(hmvn)
file <- commandArgs(TRUE)
done <- as.data.frame(testthat::test_file(
  file, package = "hmvn", load_package = "installed", reporter = "silent", stop_on_failure = FALSE
))
bad <- done$failed > 0 | done$error
cat(basename(file), ": tests ", nrow(done), " failed ", sum(bad), "\n", sep = "")
if (any(bad)) cat(paste0("  failed: ", done$test[bad], "\n"), sep = "")
R
  for file in $(ls tests/testthat/test-*.R | grep -E "test-($tests)"); do
    R_LIBS="$folder/lib" NOT_CRAN=true RCPP_PARALLEL_BACKEND=tinythread LD_PRELOAD="$preload" \
      HMVN_PATIENCE="$patience" \
      ASAN_OPTIONS=detect_leaks=0:halt_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
      TSAN_OPTIONS=halt_on_error=0:report_signal_unsafe=0:die_after_fork=0 \
      "$(R RHOME)/bin/Rscript" "$folder/run.R" "$file" > "$folder/output" 2> "$folder/report"
    code=$?
    grep -E "tests [0-9]+ failed|^  failed: " "$folder/output" >> "$folder/tests.log"
    # from the first line of a report to the end, without what R says before
    sed -n -E '/ERROR: |WARNING: ThreadSanitizer|runtime error/,$p' "$folder/report" \
      >> "$folder/reports.log"
    [ "$code" -eq 0 ] || {
      echo "$(basename "$file"): ended with code $code"
      tail -3 "$folder/report"
    } >> "$folder/tests.log"
  done
  reports=$(grep -cE "ERROR: |WARNING: ThreadSanitizer|runtime error" "$folder/reports.log")
  ours=$(grep -cE "(^| )(hmvn/[a-z]+/[a-z_0-9]+|r_[a-z_]+|parallel)\.(cpp|hpp|h):" \
    "$folder/reports.log")
  {
    echo "$kind: $flags"
    awk '/: tests/ { files++; tests += $3; failed += $5 }
      END { print "files " files + 0 ", tests " tests + 0 ", failed " failed + 0 }' \
      "$folder/tests.log"
    echo "reports $reports, lines of our own code in them $ours"
    cat "$folder/tests.log"
    head -200 "$folder/reports.log"
  } > "$results/sanitizers_$kind.txt"
  head -3 "$results/sanitizers_$kind.txt"
  [ "$ours" -gt 0 ] && status=1
  grep -qE "failed [1-9]|ended with code" "$folder/tests.log" && status=1
  rm -rf "$folder"
done
exit $status
