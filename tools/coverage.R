# How many lines of R and of C++ do the tests run?
#   Rscript tools/coverage.R [test ...]
# Names the lines that were not run, file by file, and writes inst/validation/results/coverage.csv:
# a row a file, its lines of code, and how many of them were run. With names of tests ("loo" for
# test-loo.R) runs these alone and writes nothing. Needs covr, and g++ with its gcov; takes half an
# hour.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "install_missing.R"))

# Runs the tests on `source`, installed to be counted. Returns what lines of R could be run: a data
# frame of file, line, count.
lines_of_r <- function(source, tests) {
  standards <- c("CXXFLAGS", "CXX17FLAGS")
  # Nothing is counted in libraries' headers: with Eigen's inner loops it would be hours
  flags <- "-O2 --coverage -fprofile-exclude-files=/include/"
  options(
    covr.flags = c(stats::setNames(rep(flags, 2), standards), LDFLAGS = "--coverage"),
    # covr takes a line of a template for as many as it has instances: read_gcov() reads C++
    covr.gcov = Sys.which("true")
  )
  # A process for some files each: one that is stopped costs the lines of no other
  some <- split(tests, (seq_along(tests) - 1L) %/% 10L)
  commands <- vapply(some, function(files) {
    script <- tempfile("tests", dirname(source), ".R")
    writeLines(deparse(bquote({
      Sys.setenv(NOT_CRAN = "true")
      library(hmvn)
      for (file in .(files)) {
        message(format(Sys.time(), "%H:%M:%S "), basename(file))
        try(testthat::test_file(
          file, package = "hmvn", load_package = "installed", reporter = "check"
        ))
      }
    })), script)
    log <- file.path(dirname(source), "tests.log")
    sprintf("system(%s)", shQuote(paste(
      file.path(R.home("bin"), "Rscript"), shQuote(script), ">>", log, "2>&1"
    ), "cmd"))
  }, "")
  found <- covr::package_coverage(source,
    type = "none", code = commands, quiet = FALSE, clean = FALSE,
    install_path = file.path(dirname(source), "library")
  )
  lines <- covr::tally_coverage(found, by = "line")
  lines <- lines[startsWith(lines$filename, "R/"), ]
  data.frame(file = lines$filename, line = lines$line, count = lines$value)
}

# The same of C++: what the objects in `folder` have counted. gcov names a line of a template once
# for all of its instances, then for each.
read_gcov <- function(folder) {
  old <- setwd(folder)
  on.exit(setwd(old))
  counted <- lapply(list.files(pattern = "[.]gcno$", recursive = TRUE), function(object) {
    # -r: of our own sources, and not of libraries
    text <- system2("gcov", c("-r", "-t", object), stdout = TRUE, stderr = FALSE)
    header <- grepl("^ +-: +0:Source:", text)
    file <- c(NA, sub("^.*:Source:", "", text[header]))[cumsum(header) + 1L]
    pattern <- "^ *([0-9]+|#####|=====)[*]?: *([0-9]+):.*$"
    line <- grepl(pattern, text)
    count <- sub(pattern, "\\1", text[line])
    data.frame(
      file = file.path("src", file[line]), line = as.integer(sub(pattern, "\\2", text[line])),
      count = ifelse(grepl("[0-9]", count), suppressWarnings(as.numeric(count)), 0)
    )
  })
  do.call(rbind, counted)
}

# Of every line the largest count, without what Rcpp and make have written.
once_each <- function(lines) {
  written <- grepl("RcppExports[.]", lines$file) | grepl("[.]cc$", lines$file)
  stats::aggregate(count ~ line + file, lines[!written, ], max)
}

say_lines_not_run <- function(lines) {
  missed <- lines[lines$count == 0, ]
  for (file in unique(missed$file)) {
    cat(file, ": ", toString(missed$line[missed$file == file]), "\n", sep = "")
  }
}

say_share <- function(counts) {
  for (folder in c("R", "src")) {
    some <- colSums(counts[startsWith(counts$file, paste0(folder, "/")), c("run", "lines")])
    share <- 100 * some[["run"]] / some[["lines"]]
    cat(sprintf("%s: %.1f %% of %d lines\n", folder, share, some[["lines"]]))
  }
}

main <- function(chosen) {
  checkout <- checkout_folder()
  work <- tempfile("coverage")
  dir.create(work)
  source <- copy_checkout(checkout, work)
  tests <- list.files(file.path(source, "tests", "testthat"), "^test-.*[.]R$", full.names = TRUE)
  if (length(chosen)) tests <- tests[basename(tests) %in% sprintf("test-%s.R", chosen)]
  found <- lines_of_r(source, tests)
  lines <- once_each(rbind(found, read_gcov(file.path(source, "src"))))
  say_lines_not_run(lines)
  counts <- stats::aggregate(cbind(lines = 1L, run = count > 0) ~ file, lines, sum)
  counts <- counts[order(counts$file), ]
  say_share(counts)
  if (length(chosen) == 0L) {
    results <- file.path(checkout, "inst", "validation", "results", "coverage.csv")
    utils::write.csv(counts, results, row.names = FALSE)
  }
}

main(commandArgs(trailingOnly = TRUE))
