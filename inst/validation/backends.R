# The same fit by workers of every kind that is installed: are the draws those of one process?
#
#   Rscript inst/validation/backends.R
#
# Needs future; a kind whose package is missing (future.mirai, future.batchtools, future.callr) is
# left out, and said. Writes results/backends.csv beside this file.

library(hmvn)

here <- normalizePath(
  dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
)
# batchtools keeps its registry in the working folder
setwd(tempdir())

backends <- list(
  list("multisession, 2 processes", "future", quote(future::plan("multisession", workers = 2))),
  list("cluster by sockets, 2 x localhost", "future", quote(
    future::plan("cluster", workers = c("localhost", "localhost"))
  )),
  list("mirai, 2 daemons", "future.mirai", quote(
    future::plan(future.mirai::mirai_multisession, workers = 2)
  )),
  list("batchtools, jobs on this machine", "future.batchtools", quote(
    future::plan(future.batchtools::batchtools_local)
  )),
  list("callr, 2 processes", "future.callr", quote(
    future::plan(future.callr::callr, workers = 2)
  ))
)

fits <- list(
  "partial pooling" = function(...) fit_hmvn(iris, ~Species, pooling = "partial", ...),
  "groups by themselves" = function(...) fit_hmvn(iris, ~Species, ...)
)

same_fit <- function(one, other) {
  parts <- c("draws", "sampler", "units")
  identical(unclass(one)[parts], unclass(other)[parts])
}

try_backend <- function(backend) {
  on.exit(future::plan("sequential"))
  eval(backend[[3]])
  rows <- lapply(names(fits), function(name) {
    fit <- function(...) {
      suppressMessages(suppressWarnings(
        fits[[name]](chains = 2, seed = 1, progress = FALSE, ...)
      ))
    }
    seconds <- system.time(by_workers <- fit(workers = "plan"))[["elapsed"]]
    data.frame(
      backend = backend[[1]], model = name, identical = same_fit(by_workers, fit()),
      seconds = round(seconds, 1), package = backend[[2]],
      version = as.character(utils::packageVersion(backend[[2]]))
    )
  })
  do.call(rbind, rows)
}

there <- vapply(backends, function(b) requireNamespace(b[[2]], quietly = TRUE), TRUE)
for (backend in backends[!there]) message(backend[[2]], " is not installed: left out")
results <- do.call(rbind, lapply(backends[there], try_backend))
print(results, right = FALSE)
stopifnot(results$identical)
utils::write.csv(results, file.path(here, "results", "backends.csv"), row.names = FALSE)
