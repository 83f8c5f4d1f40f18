# Would the tests notice? Plants one fault at a time in a copy of the sources, installs it, runs the tests, and lists
# which test files fail.
#
#   Rscript inst/validation/planted_faults.R [test files, a regular expression] [faults, another]      (from a checkout)
#
# With the second argument only these faults' rows of the saved results are renewed.
#
# A fault is a set of replacements that must each occur; density and gradient are changed together where a test of the
# gradient alone would find the fault too easily.

faults <- list(
  "LKJ exponent off by one" = list(
    "src/hmvn/model/model.hpp" = c("return eta + 0.5" = "return eta + 1.0 + 0.5")
  ),
  "Jacobian of the groups' change of variables dropped" = list(
    "src/hmvn/model/group_transport.hpp" = c(
      "squaredNorm()) - out.log_root;" = "squaredNorm());"
    ),
    "src/hmvn/model/group_transport_gradient.hpp" = c(
      "scratch.root(j, j) -= 1.0 / point.root(j, j);" = "", " + 1.0 / shrink;" = ";"
    )
  ),
  "Jacobian of the heterogeneities' standardisation dropped" = list(
    "src/hmvn/model/heterogeneity.hpp" = c("result.log_prior += log(at.slope);" = "", " + at.curvature / at.slope;" = ";")
  ),
  "n for n - 1" = list(
    "src/hmvn/model/group_likelihood.hpp" = c("out.within = -(n - T(1)) *" = "out.within = -n *")
  ),
  "transposed L" = list("src/hmvn/model/draw.hpp" = c("= lower(i, j);" = "= lower(j, i);")),
  "one group's likelihood left out" = list(
    "src/hmvn/model/unit_posterior.hpp" = c(
      "log_density += work.likelihoods[g].within;" = "if (g > 0) log_density += work.likelihoods[g].within;"
    )
  ),
  "sqrt(1 - h) for sqrt(1 - h^2)" = list(
    "src/hmvn/model/heterogeneity.hpp" = c(
      "const T weight = sqrt(complement * (T(1) + h));" = "const T weight = sqrt(complement);",
      "-h * density / weight" = "-T(0.5) * density / weight"
    )
  ),
  "mu0 read at u_0 instead of v" = list(
    "src/hmvn/model/unit_posterior.hpp" = c(
      "model_.mean_location + work_.means.population_scale.cwiseProduct(mean_score_);" =
        "model_.mean_location + model_.mean_scale.cwiseProduct(mean_score_);"
    )
  )
)

plant <- function(checkout, replacements) {
  for (file in names(replacements)) {
    path <- file.path(checkout, file)
    text <- paste(readLines(path), collapse = "\n")
    for (old in names(replacements[[file]])) {
      if (!grepl(old, text, fixed = TRUE)) stop("not found in ", file, ": ", old)
      text <- sub(old, replacements[[file]][[old]], text, fixed = TRUE)
    }
    writeLines(text, path)
  }
}

failing_tests <- function(checkout, filter) {
  library_folder <- tempfile("library")
  dir.create(library_folder)
  r <- file.path(R.home("bin"), "R")
  status <- system2(r, c("CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", library_folder, checkout), stdout = FALSE, stderr = FALSE)
  if (status != 0) return("(does not compile)")
  script <- tempfile(fileext = ".R")
  result <- tempfile(fileext = ".rds")
  writeLines(c(
    sprintf(".libPaths(c(%s, .libPaths()))", deparse(library_folder)),
    sprintf("r <- testthat::test_dir(%s, package = 'hmvn', load_package = 'installed', filter = %s, reporter = 'silent', stop_on_failure = FALSE)",
            deparse(file.path(checkout, "tests", "testthat")), deparse(filter)),
    sprintf("saveRDS(as.data.frame(r), %s)", deparse(result))
  ), script)
  system2(file.path(R.home("bin"), "Rscript"), script, stdout = FALSE, stderr = FALSE)
  if (!file.exists(result)) return("(tests could not be run)")
  tests <- readRDS(result)
  unique(sprintf("%s: %s", tests$file, tests$test)[tests$failed > 0 | tests$error])
}

main <- function(filter, chosen = "") {
  copy <- file.path(tempfile("faults"), "hmvn")
  dir.create(dirname(copy))
  system2("cp", c("-a", ".", copy))
  rows <- list()
  for (fault in grep(chosen, c("none", names(faults)), value = TRUE)) {
    system2("cp", c("-a", "src/hmvn", file.path(copy, "src")))
    if (fault != "none") plant(copy, faults[[fault]])
    unlink(Sys.glob(file.path(copy, "src", c("*unit*.o", "r_inspect.o", "r_model.o", "r_sample.o"))))
    found <- failing_tests(copy, filter)
    rows[[fault]] <- data.frame(fault = fault, found_by = if (length(found)) found else "-")
    cat(fault, "\n", paste0("  ", rows[[fault]]$found_by, "\n"), sep = "")
  }
  file <- "inst/validation/results/planted_faults.csv"
  kept <- if (file.exists(file)) subset(read.csv(file), !fault %in% names(rows))
  found <- rbind(kept, do.call(rbind, rows))
  write.csv(found[order(match(found$fault, c("none", names(faults)))), ], file, row.names = FALSE)
}

args <- commandArgs(TRUE)
do.call(main, as.list(if (length(args)) args else "core-unit|core-direct|prior_only|limits|new_group"))
