# Installs what is missing, then runs the tests, naming each file as it begins; the last line has
# the totals:
#   Rscript tools/run_tests.R
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "install_missing.R"))

lib <- install_missing(checkout_folder(), for_tests = TRUE)

# All tests, also those left out on CRAN's machines
Sys.setenv(NOT_CRAN = "true")
library(hmvn, lib.loc = lib)

# So that one sees how far it is, and which file does not end
FileReporter <- R6::R6Class("FileReporter",
  inherit = testthat::Reporter,
  public = list(start_file = function(filename) {
    cat(format(Sys.time(), "%H:%M:%S "), filename, "\n", sep = "")
  })
)
reporter <- testthat::MultiReporter$new(
  reporters = list(FileReporter$new(), testthat::CheckReporter$new())
)
results <- as.data.frame(testthat::test_dir(
  file.path(checkout_folder(), "tests", "testthat"),
  package = "hmvn", load_package = "installed", reporter = reporter, stop_on_failure = FALSE
))
passed <- sum(results$passed)
failed <- sum(results$failed) + sum(results$error)
cat(passed, " passed, ", failed, " failed\n", sep = "")
quit(status = if (failed > 0 || passed == 0) 1 else 0)
