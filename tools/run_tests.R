# Installs what is missing, then runs the tests; the last line has their totals:
#   Rscript tools/run_tests.R
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "install_missing.R"))

lib <- install_missing(checkout_folder(), for_tests = TRUE)

# All tests, also those left out on CRAN's machines
Sys.setenv(NOT_CRAN = "true")
library(hmvn, lib.loc = lib)
results <- as.data.frame(testthat::test_dir(
  file.path(checkout_folder(), "tests", "testthat"),
  package = "hmvn", load_package = "installed", reporter = "check", stop_on_failure = FALSE
))
passed <- sum(results$passed)
failed <- sum(results$failed) + sum(results$error)
cat(passed, " passed, ", failed, " failed\n", sep = "")
quit(status = if (failed > 0 || passed == 0) 1 else 0)
