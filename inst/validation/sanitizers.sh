#!/bin/sh
# Builds the package with sanitizers, runs tests under them, and reports what they found.
#
#   sh inst/validation/sanitizers.sh [address|thread ...]       from the package's folder
#
# address: address and undefined-behaviour sanitizers; thread: the thread sanitizer. Threads are those
# of RcppParallel's own small backend (tinythread), since Intel's library is not built for
# sanitizers. Tests: HMVN_TESTS, a regular expression of their files; some minutes each, after ten of
# compiling. R itself leaks on purpose: leaks are not looked for. Results: results/sanitizers_*.txt
# beside this file; the script fails if our own code is in a report.
set -u
kinds="${*:-address thread}"
tests="${HMVN_TESTS:-core-sampling|core-posterior-moves|statistics|diagnostics|impute|new_group|sample_chains|many_groups|parallel|fuzz}"
results=inst/validation/results
status=0
mkdir -p "$results"
for kind in $kinds; do
  case "$kind" in
    address) flags="-fsanitize=address,undefined -fno-sanitize-recover=null"; library=libasan.so ;;
    thread) flags="-fsanitize=thread"; library=libtsan.so ;;
    *) echo "unknown: $kind"; exit 2 ;;
  esac
  folder=$(mktemp -d)
  cp -R . "$folder/source"
  find "$folder/source/src" -name '*.o' -delete -o -name '*.so' -delete
  mkdir "$folder/lib"
  {
    echo "CXX17 = g++"
    echo "CXX17FLAGS = -g -O1 -fPIC -fno-omit-frame-pointer $flags"
    echo "SHLIB_CXX17LDFLAGS = -shared $flags"
  } > "$folder/user.mk"
  # the package's Makevars leaves debug symbols out; reports need them
  R_MAKEVARS_USER="$folder/user.mk" MAKEFLAGS="HMVN_FLAGS=-fno-delete-null-pointer-checks" \
    R CMD INSTALL --no-docs --no-test-load --library="$folder/lib" "$folder/source" \
    > "$folder/install.log" 2>&1 || { tail -5 "$folder/install.log"; exit 1; }
  preload=$(g++ -print-file-name="$library")
  [ "$kind" = address ] && preload="$preload $(g++ -print-file-name=libubsan.so)"
  cat > "$folder/run.R" <<R
library(hmvn)
reporter <- testthat::SummaryReporter\$new()
done <- as.data.frame(testthat::test_dir(
  "tests/testthat", package = "hmvn", load_package = "installed", filter = "$tests",
  reporter = "silent", stop_on_failure = FALSE
))
cat("files", length(unique(done\$file)), "tests", nrow(done), "failed", sum(done\$failed > 0 | done\$error), "\n")
R
  R_LIBS="$folder/lib" NOT_CRAN=true RCPP_PARALLEL_BACKEND=tinythread LD_PRELOAD="$preload" \
    ASAN_OPTIONS=detect_leaks=0:halt_on_error=0:log_path="$folder/report" \
    UBSAN_OPTIONS=print_stacktrace=1:log_path="$folder/report" \
    TSAN_OPTIONS=halt_on_error=0:report_signal_unsafe=0:log_path="$folder/report" \
    R_DISABLE_HTTPD=1 "$(R RHOME)/bin/Rscript" "$folder/run.R" > "$folder/tests.log" 2>&1
  reports=$(cat "$folder"/report* 2>/dev/null | grep -cE "ERROR: |WARNING: ThreadSanitizer|runtime error")
  ours=$(cat "$folder"/report* 2>/dev/null | grep -cE "hmvn/|/r_[a-z_]*\.(cpp|h)|parallel\.cpp")
  {
    echo "$kind: $flags"
    grep "^files" "$folder/tests.log" || tail -5 "$folder/tests.log"
    echo "reports $reports, lines of our own code in them $ours"
    cat "$folder"/report* 2>/dev/null | head -200
  } > "$results/sanitizers_$kind.txt"
  head -3 "$results/sanitizers_$kind.txt"
  [ "$ours" -gt 0 ] && status=1
  rm -rf "$folder"
done
exit $status
