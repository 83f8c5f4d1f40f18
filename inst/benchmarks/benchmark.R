# Speed of the installed hmvn on one core:
#   Rscript inst/benchmarks/benchmark.R [runs] [folder for the results]
# 1. Effective draws per second of three problems, over the time of the whole call and over that of sampling alone.
# 2. Time of one gradient against the number of rows, and against the number of groups.
# Medians of `runs` (5) runs. Prints tables and saves them as one CSV with the machine's description in its first lines.
library(hmvn)
options(width = 150)

main <- function(runs = 5, folder = results_folder()) {
  machine <- describe_machine()
  writeLines(machine)
  results <- rbind(
    time_problems(runs),
    time_gradients("rows", 10^(3:7), function(n) simulate_groups(2, 2, n / 2), runs),
    time_gradients("groups", 10^(1:4), function(n) simulate_groups(n, 5, 50), runs)
  )
  file <- file.path(folder, paste0("hmvn-", utils::packageVersion("hmvn"), "-", Sys.Date(), ".csv"))
  writeLines(c(paste("#", machine), utils::capture.output(utils::write.csv(results, row.names = FALSE, quote = FALSE))), file)
  cat("\nSaved: ", file, "\n", sep = "")
}

# problems ------------------------------------------------------------------

time_problems <- function(runs) {
  question <- hmvn_prior(
    mean = distributional::dist_normal(0, 1), sd = distributional::dist_exponential(1), cor = dist_lkj(2)
  )
  problems <- list(
    seed = list(data = simulate_groups(2, 2, 1000), prior = question),
    iris = list(data = stats::setNames(iris, c(paste0("x", 1:4), "group")), prior = hmvn_prior()),
    big = list(data = simulate_groups(200, 5, 50), prior = hmvn_prior())
  )
  measured <- lapply(names(problems), function(name) {
    problem <- problems[[name]]
    each <- vapply(seq_len(runs), function(run) time_fit(problem$data, problem$prior, seed = run), double(8))
    summarise_runs("fit", name, each)
  })
  results <- do.call(rbind, measured)
  cat("\nfit_hmvn(), 4 chains x (1,000 + 1,000), one core; per_second: effective draws; medians of", runs, "runs\n")
  show(results)
  results
}

# Seconds and effective draws of one call. ESS: the least of all means, sds and correlations, and of bulk and tail; per second of the
# whole call, of the whole call's processor time (the same on a quiet machine) and of sampling alone. Leapfrog steps: a draw and unit.
time_fit <- function(data, prior, seed) {
  features <- setdiff(names(data), "group")
  time <- system.time(fit <- fit_hmvn(data, ~group, features, prior = prior, seed = seed, cores = 1, progress = FALSE))
  whole <- time[["elapsed"]]
  cpu <- time[["user.self"]] + time[["sys.self"]]
  found <- summary(fit, c("mu", "sigma", "Omega"))
  sampling <- sum(fit$time$sampling)
  ess <- min(found$ess_bulk, found$ess_tail)
  c(
    seconds_call = whole, seconds_cpu = cpu, seconds_sampling = sampling, leapfrog = mean(fit$sampler$n_leapfrog) / fit$units$n,
    ess_min = ess, per_second_call = ess / whole, per_second_cpu = ess / cpu, per_second_sampling = ess / sampling
  )
}

# gradients -----------------------------------------------------------------

# Data with an increasing number of rows or groups: time to reduce them to statistics, and of one gradient of the joint density.
time_gradients <- function(what, sizes, simulate, runs) {
  measured <- lapply(sizes, function(size) {
    data <- simulate(size)
    features <- setdiff(names(data), "group")
    each <- vapply(seq_len(runs), function(run) {
      reading <- system.time(statistics <- hmvn_statistics(data, ~group, features))[["elapsed"]]
      c(seconds_statistics = reading, microseconds_gradient = 1e6 * seconds_per_gradient(statistics))
    }, double(2))
    summarise_runs(paste("gradient by", what), format(size, big.mark = "_", scientific = FALSE), each)
  })
  results <- do.call(rbind, measured)
  cat("\nOne gradient, by number of ", what, "\n", sep = "")
  show(results)
  results
}

seconds_per_gradient <- function(statistics) {
  model <- hmvn:::model_for_core(hmvn:::specify_model(statistics, hmvn_prior(), "none", NULL))
  n_groups <- length(statistics$labels)
  hmvn:::time_gradient_(statistics$patterns, n_groups, model, max(20, round(2e5 / n_groups)))
}

# data and tables -----------------------------------------------------------

# `groups` groups with their own means, scales and correlations, in columns group, x1, x2, ...
simulate_groups <- function(groups, features, rows) {
  set.seed(20)
  y <- lapply(seq_len(groups), function(g) {
    mixing <- 0.5 * matrix(stats::rnorm(features^2), features)
    mixing[lower.tri(mixing)] <- 0
    diag(mixing) <- exp(0.3 * stats::rnorm(features)) # triangular: no group is near singular
    sweep(matrix(stats::rnorm(rows * features), rows) %*% mixing, 2, stats::rnorm(features), `+`)
  })
  data <- as.data.frame(do.call(rbind, y))
  names(data) <- paste0("x", seq_len(features))
  cbind(group = rep(seq_len(groups), each = rows), data)
}

# [measure, run] -> one row a measure
summarise_runs <- function(benchmark, case, each) {
  data.frame(
    benchmark = benchmark, case = case, measure = rownames(each), median = signif(apply(each, 1, stats::median), 4),
    least = signif(apply(each, 1, min), 4), greatest = signif(apply(each, 1, max), 4), runs = ncol(each), row.names = NULL
  )
}

# Medians, one row a case
show <- function(results) {
  wide <- stats::reshape(
    results[c("case", "measure", "median")],
    idvar = "case", timevar = "measure", direction = "wide"
  )
  names(wide) <- sub("^median\\.", "", names(wide))
  print(wide, row.names = FALSE, digits = 3)
}

describe_machine <- function() {
  processor <- "unknown processor"
  if (file.exists("/proc/cpuinfo")) {
    found <- grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)
    if (length(found)) processor <- sub(".*: *", "", found[1])
  }
  c(
    paste0("hmvn ", utils::packageVersion("hmvn"), ", ", R.version.string, ", ", format(Sys.Date())),
    paste0(processor, ", ", parallel::detectCores(), " cores, ", R.version$platform)
  )
}

# Beside this script
results_folder <- function() {
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  folder <- if (length(script) == 1) file.path(dirname(script), "results") else tempdir()
  if (dir.exists(folder)) folder else tempdir()
}

given <- commandArgs(trailingOnly = TRUE)
main(
  runs = if (length(given) > 0) as.integer(given[1]) else 5,
  folder = if (length(given) > 1) given[2] else results_folder()
)
