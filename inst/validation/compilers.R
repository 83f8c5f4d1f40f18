# Do other compilers and optimisers give the same densities? Builds the package by each, into
# libraries of their own, and compares the log density and its gradient at random places, and the
# draws there, for 1 to 12 features, every pooling of the blocks, with and without missing cells;
# and, with one pooling for all, where there are slopes and correlations between groups.
#
#   Rscript inst/validation/compilers.R [build ...]            from the package's folder
#
# Builds: g++-O0 g++-O2 g++-O3 clang++-O0 clang++-O2 clang++-O3, all by default, each compared with
# the package as it is in the library. One takes five to ten minutes; not optimised, a group with 12
# features and missing cells takes two seconds, so that -O0 has fewer groups, and draws only where
# all blocks are pooled alike. Results: results/compilers.csv beside this file, written after every
# build, where rows of other builds are kept: by build and number of features the largest difference
# from the package in the library, relative to 1 + |value|. It must be below 1e-9.

builds <- commandArgs(TRUE)
if (length(builds) == 0) {
  builds <- paste0(rep(c("g++", "clang++"), each = 3), c("-O0", "-O2", "-O3"))
}
limit <- 1e-9

compiler_of <- function(build) {
  name <- sub("-O.$", "", build)
  found <- Sys.which(c(name, paste0(name, "-", 11:20)))
  found[nzchar(found)][1]
}

# The folder of a library with the package, built as asked for; NULL where it cannot be.
install_by <- function(build) {
  if (build == "installed") {
    return(.libPaths()[1])
  }
  compiler <- compiler_of(build)
  if (is.na(compiler)) {
    return(NULL)
  }
  folder <- tempfile("build-")
  dir.create(folder)
  file.copy(".", folder, recursive = TRUE)
  unlink(list.files(folder, "\\.(o|so)$", recursive = TRUE, full.names = TRUE))
  makevars <- file.path(folder, "user.mk")
  writeLines(c(
    paste("CXX17 =", compiler), paste("CXX17FLAGS =", sub("^.*-O", "-O", build), "-fPIC"),
    "CXX17STD = -std=gnu++17"
  ), makevars)
  lib <- file.path(folder, "lib")
  dir.create(lib)
  code <- system2(
    file.path(R.home("bin"), "R"),
    c("CMD", "INSTALL", "--no-docs", "--no-test-load", paste0("--library=", lib), folder),
    env = paste0("R_MAKEVARS_USER=", makevars), stdout = file.path(folder, "log"), stderr = NULL
  )
  if (code == 0) lib
}

# Written into a file and run by a process that has this build.
numbers <- quote({
  library(hmvn)
  env <- new.env(parent = asNamespace("hmvn"))
  helpers <- file.path("tests/testthat", paste0("helper-", c("fit", "input", "core"), ".R"))
  for (file in helpers) sys.source(file, env)
  rows <- evalq({
    few <- commandArgs(TRUE)[2] == "few"
    numbers_of <- function(K, pooling, missing, ...) {
      sizes <- if (few) c(if (K < 7) 2, if (missing) 5 else K + 3) else c(2, K + 3, 20)
      case <- core_case(K, sizes = sizes, pooling = pooling, missing = missing, ...)
      set.seed(42)
      at <- random_positions(case, 4, radius = 0.5)
      inspect <- function(what, ...) {
        what(case$statistics$patterns, case$n_groups, case$core, at, ...)
      }
      found <- inspect(inspect_density_, differences = FALSE)
      draws <- if (!few || length(unique(pooling)) == 1L) inspect(inspect_draws_, seed = 1)
      data.frame(
        K = K, pooling = paste(pooling, collapse = " "), missing = missing,
        value = c(found$log_density, c(found$gradient), unlist(draws))
      )
    }
    rows <- list()
    levels <- c("none", "partial", "complete")
    for (K in 1:12) for (missing in c(0, 0.2)) {
      for (pooling in all_poolings(levels)) rows <- c(rows, list(numbers_of(K, pooling, missing)))
      for (pooling in levels) {
        rows <- c(rows, list(numbers_of(K, pooling, missing, between_eta = 1.5, C = 1)))
      }
    }
    do.call(rbind, rows)
  }, env)
  saveRDS(rows, commandArgs(TRUE)[1])
})

numbers_by <- function(build, amount) {
  lib <- install_by(build)
  if (is.null(lib)) {
    cat(build, "could not be built\n")
    return(NULL)
  }
  script <- tempfile(fileext = ".R")
  out <- tempfile(fileext = ".rds")
  writeLines(c(sprintf(".libPaths(c('%s', .libPaths()))", lib), deparse(numbers)), script)
  system2(file.path(R.home("bin"), "Rscript"), c(script, out, amount))
  if (build != "installed") unlink(dirname(lib), recursive = TRUE)
  if (file.exists(out)) readRDS(out)
}

results <- "inst/validation/results/compilers.csv"
wanted <- list()
all_rows <- if (file.exists(results)) utils::read.csv(results)
for (build in builds) {
  amount <- if (endsWith(build, "-O0")) "few" else "all"
  if (is.null(wanted[[amount]])) wanted[[amount]] <- numbers_by("installed", amount)
  found <- numbers_by(build, amount)
  if (is.null(found)) next
  first <- wanted[[amount]]
  off <- abs(found$value - first$value) / (1 + abs(first$value))
  # what is no number in one must be none in the other
  off[is.na(found$value) & is.na(first$value)] <- 0
  off[is.na(off)] <- Inf
  by_size <- tapply(off, found$K, max)
  rows <- data.frame(
    build = build, features = as.integer(names(by_size)), numbers = c(table(found$K)),
    largest_difference = signif(c(by_size), 2)
  )
  all_rows <- rbind(all_rows[all_rows$build != build, ], rows)
  cat(build, ": largest difference ", format(max(by_size)), " of ", nrow(found), " numbers\n",
    sep = ""
  )
  utils::write.csv(all_rows, results, row.names = FALSE)
}
quit(status = any(all_rows$largest_difference > limit))
