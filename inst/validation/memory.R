# Memory: does a session grow over many fits, and does it live on where memory cannot be had?
#
#   Rscript inst/validation/memory.R [fits] [limits]           from the package's folder, on Linux
#
# Growth: `fits` fits (1000) of all kinds in turn by one process, each summarised, and its missing
# cells imputed; resident memory after each hundred, garbage collected. It must grow by less than
# 5 % from the first hundred to the last. Failure: work that takes much memory, in processes that
# may use little, as many as `limits` (40; 0: left out), so that allocation fails at many places,
# of R and of threads; each must give its result or an error of class hmvn_error, live, and its
# next fit must be what it was before. Results: results/memory.txt beside this file.

arguments <- as.numeric(c(commandArgs(TRUE), NA, NA))
n_fits <- if (is.na(arguments[1])) 1000 else arguments[1]
n_limits <- if (is.na(arguments[2])) 40 else arguments[2]

# The lines that a process of its own writes. `before`: a command of the shell.
run_alone <- function(code, values, before = "") {
  file <- tempfile(fileext = ".R")
  on.exit(unlink(file))
  code <- do.call(substitute, list(code, values))
  writeLines(c(sprintf(".libPaths(%s)", deparse1(.libPaths())), deparse(code)), file)
  command <- paste(before, shQuote(file.path(R.home("bin"), "Rscript")), shQuote(file))
  suppressWarnings(system2("sh", c("-c", shQuote(command)), stdout = TRUE, stderr = FALSE))
}

# growth ------------------------------------------------------------------------------------------

growth <- quote({
  library(hmvn)
  quietly <- function(code) suppressWarnings(suppressMessages(code))
  set.seed(1)
  d <- data.frame(g = rep(1:12, each = 8), w = rnorm(96), matrix(rnorm(96 * 4), ncol = 4))
  gaps <- d
  gaps[3:6][matrix(runif(96 * 4) < 0.1, ncol = 4)] <- NA
  kinds <- expand.grid(
    pooling = c("none", "partial", "complete"), K = 1:4, missing = c(FALSE, TRUE),
    covariates = c(FALSE, TRUE), cores = 1:2, stringsAsFactors = FALSE
  )
  resident <- function() {
    gc()
    4096 * as.numeric(strsplit(readLines("/proc/self/statm"), " ")[[1]][2]) / 2^20
  }
  for (i in seq_len(n)) {
    kind <- as.list(kinds[(i - 1) %% nrow(kinds) + 1, ])
    fit <- quietly(fit_hmvn(
      if (kind$missing) gaps else d, "g", paste0("X", seq_len(kind$K)), kind$pooling,
      covariates = if (kind$covariates) "w", chains = 2, iter_warmup = 30, iter_sampling = 30,
      seed = i, cores = kind$cores, keep_data = TRUE
    ))
    quietly(summary(fit))
    if (kind$missing) quietly(posterior_impute(fit, ndraws = 2, seed = 1))
    if (i %% 100 == 0) cat("at", i, resident(), "\n")
  }
})

at <- grep("^at ", run_alone(growth, list(n = n_fits)), value = TRUE)
fields <- do.call(rbind, strsplit(at, " "))
resident <- as.numeric(fields[, 3])
grown <- resident[length(resident)] / resident[1] - 1
complete <- length(resident) == n_fits %/% 100
growth_lines <- c(
  sprintf("growth: %d fits; resident MB after each hundred: %s", n_fits, toString(round(resident))),
  sprintf("grown by %.1f %% from the first hundred to the last", 100 * grown)
)
results <- "inst/validation/results/memory.txt"
writeLines(growth_lines)
if (n_limits == 0) {
  writeLines(c(growth_lines, "failure: left out"), results)
  quit(status = !complete || grown >= 0.05)
}

# failure -----------------------------------------------------------------------------------------

failure <- quote({
  library(hmvn)
  quietly <- function(code) suppressWarnings(suppressMessages(code))
  set.seed(1)
  d <- data.frame(g = rep(1:3000, each = 4), x = rnorm(12000), y = rnorm(12000))
  small <- function() {
    quietly(fit_hmvn(
      d[1:40, ], ~g, pooling = "partial", chains = 2, iter_warmup = 50, iter_sampling = 20,
      seed = 1, cores = 2
    ))$draws
  }
  before <- small()
  works <- list(
    partial = function() {
      fit_hmvn(
        d, ~g, pooling = "partial", chains = 4, iter_warmup = 2, iter_sampling = 500, seed = 1,
        cores = 2
      )
    },
    none = function() fit_hmvn(d, ~g, chains = 4, iter_warmup = 5, iter_sampling = 500, seed = 1),
    patterns = function() {
      wide <- matrix(ifelse(runif(4e5) < 0.3, NA, rnorm(4e5)), ncol = 20)
      hmvn_statistics(data.frame(g = rep(1:500, 40), wide), ~g)
    }
  )
  for (name in names(works)) {
    said <- tryCatch(
      {
        quietly(works[[name]]())
        "result"
      },
      error = function(e) if (inherits(e, "hmvn_error")) class(e)[[1]] else conditionMessage(e)
    )
    gc()
    same <- tryCatch(identical(before, small()), error = conditionMessage)
    cat("work", name, gsub(" ", "_", said), gsub(" ", "_", same), "\n")
  }
})

# From what a session with the package needs to what the work does, in kilobytes.
limits <- round(seq(8e5, 2.2e6, length.out = n_limits))
found <- do.call(rbind, lapply(limits, function(limit) {
  lines <- run_alone(failure, list(), sprintf("ulimit -v %.0f;", limit))
  said <- strsplit(grep("^work ", lines, value = TRUE), " ")
  if (length(said) == 0) {
    # R itself, or its packages, could not be loaded: no work was begun
    return(data.frame(limit = limit, work = "loading", said = "not loaded", same = NA))
  }
  rows <- as.data.frame(do.call(rbind, said))[, 2:4]
  names(rows) <- c("work", "said", "same")
  lost <- setdiff(c("partial", "none", "patterns"), rows$work)
  if (length(lost)) rows <- rbind(rows, data.frame(work = lost[1], said = "died", same = NA))
  data.frame(limit = limit, rows)
}))
begun <- found[found$work != "loading", ]
fine <- (begun$said == "result" | startsWith(begun$said, "hmvn_error")) & begun$same %in% "TRUE"

lines <- c(
  sprintf(
    "failure: %d limits of address space, %d times work was begun: %d results, %d errors of ours,",
    n_limits, nrow(begun), sum(begun$said == "result"), sum(startsWith(begun$said, "hmvn_error"))
  ),
  sprintf("%d died or ended otherwise, or their next fit differed", sum(!fine)),
  if (any(!fine)) do.call(paste, begun[!fine, ]),
  paste(names(table(begun$said)), table(begun$said), sep = ": ")
)
writeLines(c(growth_lines, lines), results)
writeLines(lines)
quit(status = !complete || grown >= 0.05 || any(!fine))
