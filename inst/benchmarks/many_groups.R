# Very many groups: how long, how much memory, how much is sent and left in files, with draws in
# memory, in files, and in files that two workers write. Each is measured in a process of its own.
# Writes inst/benchmarks/results/many_groups.csv.
#
#   Rscript inst/benchmarks/many_groups.R [groups ...]

features <- 3
rows_by_group <- 12
iterations <- 100

# The most memory that this process has had, in megabytes (Linux).
peak <- function() {
  lines <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", lines, value = TRUE))) / 1024
}

statistics_of <- function(n_groups) {
  set.seed(1)
  n <- n_groups * rows_by_group
  data <- data.frame(g = rep(seq_len(n_groups), each = rows_by_group))
  for (k in seq_len(features)) data[[paste0("x", k)]] <- stats::rnorm(n)
  suppressMessages(hmvn::hmvn_statistics(data, ~g))
}

# Bytes of the tasks that are sent to workers
sent <- function(fit) {
  plan <- hmvn:::new_plan(fit$statistics, hmvn:::model_of(fit), fit$control, NULL, NULL)
  pool <- hmvn:::plan_pool(plan)
  shares <- hmvn:::job_shares(pool, 2L)
  sum(vapply(shares, function(jobs) {
    length(serialize(hmvn:::new_task(pool, hmvn:::plan_starts(plan), jobs), NULL))
  }, 0))
}

measure <- function(way, n_groups, out) {
  statistics <- statistics_of(n_groups)
  invisible(gc())
  before <- peak()
  folder <- tempfile("draws-")
  extra <- switch(way,
    memory = list(), files = list(draws_dir = folder),
    workers = list(draws_dir = folder, workers = 2)
  )
  args <- c(list(statistics, iter_sampling = iterations, seed = 1, progress = FALSE), extra)
  seconds <- system.time(
    fit <- suppressMessages(suppressWarnings(do.call(hmvn::fit_hmvn, args)))
  )[["elapsed"]]
  after <- peak()
  one <- system.time(cov <- hmvn::group_cov(fit, as.character(n_groups %/% 2)))[["elapsed"]]
  bytes <- sum(file.size(list.files(folder, full.names = TRUE)))
  saveRDS(data.frame(
    groups = n_groups, draws = way, seconds = seconds, megabytes = after - before,
    megabytes_in_files = bytes / 1e6, megabytes_sent = if (way == "workers") sent(fit) / 1e6 else 0,
    milliseconds_to_read_a_group = 1e3 * one, check = sum(posterior::E(cov))
  ), out)
  unlink(folder, recursive = TRUE)
}

args <- commandArgs(trailingOnly = TRUE)
if (length(args) == 3 && args[[1]] %in% c("memory", "files", "workers")) {
  measure(args[[1]], as.numeric(args[[2]]), args[[3]])
} else {
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  sizes <- if (length(args)) args else c("1000", "10000", "100000")
  out <- tempfile(fileext = ".rds")
  target <- file.path(dirname(script), "results", "many_groups.csv")
  results <- NULL
  for (size in sizes) {
    # gigabytes of draws in memory are not tried
    for (way in c(if (as.numeric(size) <= 25000) "memory", "files", "workers")) {
      system2(file.path(R.home("bin"), "Rscript"), c(script, way, size, out))
      results <- rbind(results, readRDS(out))
      print(results[nrow(results), ])
      utils::write.csv(results, target, row.names = FALSE)
    }
  }
}
