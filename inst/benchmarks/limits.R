# How fast hmvn is and how its cost grows, without another program:
#   Rscript inst/benchmarks/limits.R [--runs=5] [--folder=inst/benchmarks/results] [part ...]
# Parts (all by default), each saved in a file of its own:
#   wishart   sampling time per effective draw and group against an independent inverse-Wishart
#             draw in the same C++
#   groups    cost per draw and group by number of groups, without pooling and with partial
#             pooling; one gradient
#   rows      sampling time, and time of reading, by number of rows
#   features  cost per draw and group by number of features
#   scarce    whole calls with default priors where rows are few for the features, or groups nearly
#             identical: processor seconds, least effective sample size, largest R-hat
#   missing   partial pooling of complete rows, of rows that drop out, and of rows that lack cells
#             here and there: processor seconds of the call, patterns a group
#   heterogeneity  partial pooling with 3 to 20 features: least effective sample size of the
#             heterogeneities of each block
#   threads   sampling time with one core and with two
#   reading   whole call on ten million rows against one rowsum() of the same data frame
#   call      whole call on two groups of 1,000 rows, in a fresh process and later
#   memory    100,000 groups: seconds, memory, seconds of summary()
#   answers   log_lik() and loo() of 10,000 rows, compare_groups() of every pair of 200 groups, of
#             4,000 draws and five features: processor seconds of the calls, memory
# Medians of `runs` runs where nothing else is said. Time of sampling: the chains' own clocks,
# summed, without warm-up.

parts <- list()

sampling_seconds <- function(fit) sum(fit$time$sampling)

# Fits of one problem after another, `runs` times: `measure(fit, problem)` gives named numbers
measure_fits <- function(benchmark, problems, runs, measure, ...) {
  found <- lapply(names(problems), function(case) {
    problem <- problems[[case]]
    repeat_runs(benchmark, case, runs, function(run) {
      timed <- quietly(time_call(problem, seed = run, ...))
      c(
        seconds_call = timed$seconds, seconds_sampling = sampling_seconds(timed$fit),
        measure(timed$fit, problem)
      )
    })
  })
  do.call(rbind, found)
}

per_draw_and_group <- function(fit, problem) {
  c(microseconds_draw_group = 1e6 * sampling_seconds(fit) / (n_draws(fit) * n_groups(problem)))
}

per_effective_draw_and_group <- function(fit, problem) {
  ess <- least_ess(draws_of_fit(fit))
  c(ess = ess, microseconds_effective = 1e6 * sampling_seconds(fit) / (ess * n_groups(problem)))
}

per_draw_of_both_kinds <- function(fit, problem) {
  c(per_draw_and_group(fit, problem), per_effective_draw_and_group(fit, problem))
}

n_draws <- function(fit) with(fit$control, chains * (iter_sampling %/% thin))

n_groups <- function(problem) length(unique(problem$data$group))

# the physical limit --------------------------------------------------------

parts$wishart <- function(runs) {
  problems <- lapply(c(seed = "seed", synth = "synth", wide = "wide"), benchmark_problem)
  measure_fits("wishart", problems, runs, cores = 1, function(fit, problem) {
    found <- per_effective_draw_and_group(fit, problem)
    rows <- nrow(problem$data) / n_groups(problem)
    wishart <- 1e6 * hmvn:::time_inverse_wishart_(length(problem$features), rows - 1, 1e5)
    c(found, microseconds_wishart = wishart, ratio = found[["microseconds_effective"]] / wishart)
  })
}

# growth --------------------------------------------------------------------

named_by <- function(sizes) stats::setNames(sizes, format(sizes, scientific = FALSE, trim = TRUE))

parts$groups <- function(runs) {
  sizes <- named_by(c(10, 100, 1000, 10000))
  none <- measure_fits(
    "groups without pooling", lapply(sizes, function(G) new_problem(simulate_groups(G, 3, 50))),
    min(runs, 3),
    cores = 1, iter_warmup = 500, iter_sampling = 250, per_draw_and_group
  )
  related <- lapply(
    named_by(c(25, 250, 2500)), function(G) new_problem(simulate_related(G, 3, 20, 0.7), "partial")
  )
  partial <- measure_fits(
    "groups with partial pooling", related, min(runs, 3),
    cores = 1, chains = 1, iter_warmup = 300, iter_sampling = 300, per_draw_of_both_kinds
  )
  sizes <- named_by(c(10, 100, 1000, 10000))
  gradient <- lapply(names(sizes), function(case) {
    data <- simulate_groups(sizes[[case]], 3, 50)
    repeat_runs("gradient by groups", case, runs, function(run) {
      seconds <- seconds_per_gradient(statistics_of(data))
      c(microseconds_gradient_group = 1e6 * seconds / sizes[[case]])
    })
  })
  rbind(none, partial, do.call(rbind, gradient))
}

parts$rows <- function(runs) {
  sizes <- named_by(10^(3:7))
  found <- lapply(names(sizes), function(case) {
    problem <- new_problem(simulate_groups(2, 2, sizes[[case]] / 2))
    repeat_runs("rows", case, runs, function(run) {
      reading <- system.time(statistics <- statistics_of(problem$data))[["elapsed"]]
      timed <- quietly(time_call(problem, seed = run, cores = 1))
      c(
        seconds_statistics = reading, seconds_call = timed$seconds,
        seconds_sampling = sampling_seconds(timed$fit),
        microseconds_gradient = 1e6 * seconds_per_gradient(statistics)
      )
    })
  })
  do.call(rbind, found)
}

statistics_of <- function(data) hmvn_statistics(data, ~group, setdiff(names(data), "group"))

# One gradient of the joint log density of all groups
seconds_per_gradient <- function(statistics) {
  model <- hmvn:::as_core(hmvn:::specify_model(statistics, hmvn_prior(), "none", NULL))
  G <- length(statistics$labels)
  hmvn:::time_gradient_(statistics$patterns, G, model, max(20, round(2e5 / G)))
}

# As many rows a feature everywhere, so that only the size of the matrices differs
parts$features <- function(runs) {
  sizes <- named_by(c(2, 3, 4, 6, 8, 12, 16, 20))
  measure_fits(
    "features", lapply(sizes, function(K) new_problem(simulate_groups(10, K, 50 * K))),
    min(runs, 3),
    cores = 1, per_draw_of_both_kinds
  )
}

# few rows for many features -------------------------------------------------

# `correlation`: of neighbours among the features
simulate_alike <- function(groups, features, rows, correlation = 0.5) {
  set.seed(22)
  root <- chol(correlation^abs(outer(seq_len(features), seq_len(features), `-`)))
  bind_groups(lapply(seq_len(groups), function(g) {
    matrix(stats::rnorm(rows * features), rows) %*% root
  }))
}

# Without 15 % of the cells, and without the seventh feature in the second group
with_holes <- function(data) {
  data <- lacking_cells(data)
  data[data$group == 2, setdiff(names(data), "group")[7]] <- NA
  data
}

# Rows that stop at any feature, or lack 15 % of all cells
dropping_out <- function(data) {
  features <- setdiff(names(data), "group")
  last <- sample(length(features), nrow(data), replace = TRUE)
  data[features][outer(last, seq_along(features), `<`)] <- NA
  data
}
lacking_cells <- function(data) {
  features <- setdiff(names(data), "group")
  y <- as.matrix(data[features])
  y[sample(length(y), 0.15 * length(y))] <- NA
  data[features] <- y
  data
}

parts$missing <- function(runs) {
  kinds <- list(complete = identity, "drop out" = dropping_out, scattered = lacking_cells)
  found <- lapply(c(4, 8, 12), function(K) {
    complete <- simulate_alike(10, K, 100)
    do.call(rbind, lapply(names(kinds), function(kind) {
      data <- kinds[[kind]](complete)
      patterns <- nrow(unique(cbind(data$group, is.na(data[-match("group", names(data))]))))
      repeat_runs("missing", sprintf("%d features (%s)", K, kind), runs, function(run) {
        time <- system.time(fit <- quietly(
          fit_hmvn(data, ~group, pooling = "partial", cores = 1, seed = run)
        ))
        c(seconds_cpu = sum(time[1:2]), patterns_a_group = patterns / 10)
      })
    }))
  })
  do.call(rbind, found)
}

parts$scarce <- function(runs) {
  few <- lapply(c(5, 10, 15, 20), function(K) list(simulate_alike(2, K, 25), "none"))
  names(few) <- sprintf("2 groups x %d features x 25 rows", c(5, 10, 15, 20))
  all_partial <- lapply(c(10, 15), function(K) list(simulate_alike(4, K, K), "partial"))
  names(all_partial) <- sprintf("4 x %d x %d (partially pooled)", c(10, 15), c(10, 15))
  problems <- c(few, list(
    "60 x 12 x 30" = list(simulate_alike(60, 12, 30), "none"),
    "3 x 20 x 5 (15 % of cells missing and a feature absent in a group)" =
      list(with_holes(simulate_alike(3, 20, 5)), "none"),
    "5 x 3 x 3000 (correlations 0.9999; partially pooled)" =
      list(simulate_alike(5, 3, 3000, 0.9999), "partial")
  ), all_partial)
  found <- lapply(names(problems), function(case) {
    repeat_runs("scarce", case, runs, function(run) {
      problem <- problems[[case]]
      time <- system.time(fit <- quietly(
        fit_hmvn(problem[[1]], ~group, pooling = problem[[2]], cores = 1, seed = run)
      ))
      quality <- quietly(summary(fit))
      c(
        seconds_cpu = sum(time[1:2]), rhat = max(quality$rhat, na.rm = TRUE),
        ess = min(quality$ess_bulk, quality$ess_tail, na.rm = TRUE),
        divergent = sum(fit$units$divergent), iter_warmup = max(fit$units$iter_warmup)
      )
    })
  })
  do.call(rbind, found)
}

# partial pooling by number of features ---------------------------------------

# Groups drawn from the model: scores of means, sds and partial correlations have correlation
# 1 - h^2 between groups.
simulate_pooled <- function(groups, features, rows, h = 0.5) {
  set.seed(23)
  score <- function(size) {
    common <- sqrt(1 - h^2) * stats::rnorm(size)
    matrix(common + h * stats::rnorm(size * groups), size)
  }
  pairs <- which(upper.tri(diag(features)), arr.ind = TRUE)
  b <- 2 + (features - 1 - pairs[, "row"]) / 2
  mean <- score(features)
  sd <- stats::qexp(stats::pnorm(score(features)))
  partial <- 2 * stats::qbeta(stats::pnorm(score(nrow(pairs))), b, b) - 1
  bind_groups(lapply(seq_len(groups), function(g) {
    root <- factor_of_partials(partial[, g], pairs, features) * rep(sd[, g], each = features)
    sweep(matrix(stats::rnorm(rows * features), rows) %*% root, 2, mean[, g], `+`)
  }))
}

# The upper triangular root of a correlation matrix from its partial correlations, column by column
factor_of_partials <- function(partial, pairs, features) {
  root <- diag(features)
  for (q in seq_len(nrow(pairs))) {
    i <- pairs[q, "row"]
    j <- pairs[q, "col"]
    rest <- root[j, j]
    root[i, j] <- partial[q] * rest
    root[j, j] <- rest * sqrt(1 - partial[q]^2)
  }
  root
}

parts$heterogeneity <- function(runs) {
  features <- c(3, 5, 8, 10, 12, 15, 20)
  groups <- ifelse(features < 15, 12, 4)
  found <- Map(function(G, K) {
    data <- simulate_pooled(G, K, 2 * K)
    case <- sprintf("%d groups x %d features x %d rows", G, K, 2 * K)
    repeat_runs("heterogeneity", case, min(runs, 3), function(run) {
      time <- system.time(fit <- quietly(
        fit_hmvn(data, ~group, pooling = "partial", cores = 1, seed = run)
      ))
      quality <- quietly(summary(fit, variable = c("h_mean", "h_sd", "h_cor")))
      ess <- tapply(pmin(quality$ess_bulk, quality$ess_tail), quality$quantity, min)
      c(
        seconds_cpu = sum(time[1:2]), ess_mean = ess[["h_mean"]], ess_sd = ess[["h_sd"]],
        ess_cor = ess[["h_cor"]], rhat = max(quality$rhat), divergent = sum(fit$units$divergent)
      )
    })
  }, groups, features)
  do.call(rbind, found)
}

# threads -------------------------------------------------------------------

# Time that passes in the sampler, warm-up included where there is any: the chains' own clocks run
# side by side.
# Four chains of groups that share nothing, and one chain of groups that learn from each other
parts$threads <- function(runs) {
  rbind(speedup_of("big", 4, runs), speedup_of("groups_partial", 1, runs))
}

speedup_of <- function(name, chains, runs) {
  fit <- quietly(time_call(benchmark_problem(name), seed = 1, chains = chains)$fit)
  model <- hmvn:::specify_model(fit$statistics, fit$prior_given, fit$pooling, NULL)
  seconds <- function(cores) {
    control <- utils::modifyList(fit$control, list(cores = cores))
    problem <- hmvn:::new_problem(fit$statistics, model, control)
    share <- hmvn:::whole_share(problem)
    system.time(hmvn:::draw_share(problem, share, hmvn:::from_nothing(), NULL))[["elapsed"]]
  }
  repeat_runs("threads", name, runs, function(run) {
    one <- seconds(1)
    two <- seconds(2)
    c(seconds_one_core = one, seconds_two_cores = two, speedup = one / two)
  })
}

# reading -------------------------------------------------------------------

parts$reading <- function(runs) {
  set.seed(1)
  data <- as.data.frame(matrix(stats::rnorm(5e7), 1e7))
  names(data) <- paste0("x", 1:5)
  data$group <- sample.int(100L, nrow(data), replace = TRUE)
  problem <- new_problem(data)
  results <- repeat_runs("reading", "1e7 rows x 5", runs, function(run) {
    call <- quietly(time_call(problem, seed = run, cores = 1))$seconds
    sums <- system.time(rowsum(data[1:5], data$group))[["elapsed"]]
    statistics <- system.time(statistics_of(data))[["elapsed"]]
    c(seconds_call = call, seconds_rowsum = sums, seconds_statistics = statistics)
  })
  median <- stats::setNames(results$median, results$measure)
  ratio <- median[["seconds_call"]] / median[["seconds_rowsum"]]
  rbind(results, summarise_runs("reading", "1e7 rows x 5", cbind(c(ratio = ratio))))
}

# one call ------------------------------------------------------------------

parts$call <- function(runs) {
  first <- repeat_runs("call", "first", runs, function(run) run_worker("call"))
  problem <- benchmark_problem("seed")
  later <- repeat_runs("call", "later", max(runs, 11), function(run) {
    c(seconds_call = time_call(problem, seed = run, cores = 1)$seconds)
  })
  rbind(first, later)
}

# memory --------------------------------------------------------------------

parts$memory <- function(runs) {
  repeat_runs("memory", "100000 groups x 3", 1, function(run) run_worker("memory"))
}

parts$answers <- function(runs) {
  found <- lapply(c("log_lik", "loo", "compare_groups"), function(call) {
    repeat_runs("answers", call, min(runs, 3), function(run) run_worker(call))
  })
  do.call(rbind, found)
}

# Processor seconds of an answer about a fit of 4,000 draws and five features, and the peak of the
# process. `size`: groups, rows of each.
answer_alone <- function(answer, size) {
  problem <- new_problem(simulate_groups(size[[1]], 5, size[[2]]))
  fit <- quietly(time_call(problem, seed = 1, cores = 1)$fit)
  before <- peak_gigabytes()
  time <- system.time(quietly(answer(fit)))
  c(seconds_cpu = sum(time[1:2]), gigabytes_before = before, gigabytes_peak = peak_gigabytes())
}

# Each in a fresh process
alone <- list(
  log_lik = function() answer_alone(log_lik, c(20, 500)),
  loo = function() answer_alone(loo::loo, c(20, 500)),
  compare_groups = function() answer_alone(compare_groups, c(200, 50)),
  call = function() {
    problem <- benchmark_problem("seed")
    c(seconds_call = time_call(problem, seed = 1, cores = 1)$seconds)
  },
  # Means and factors of covariance matrices of 1,000 draws: 7.2 GB in double precision
  memory = function() {
    problem <- new_problem(simulate_groups(1e5, 3, 20))
    gc()
    before <- peak_gigabytes()
    timed <- quietly(time_call(problem, seed = 1, cores = 1, chains = 4, iter_sampling = 250))
    after <- peak_gigabytes()
    size <- as.double(utils::object.size(timed$fit)) / 2^30
    summary <- system.time(found <- summary(timed$fit))[["elapsed"]]
    c(
      draws = n_draws(timed$fit), seconds_call = timed$seconds,
      seconds_sampling = sampling_seconds(timed$fit),
      gigabytes_fit = size, gigabytes_before = before, gigabytes_peak_call = after,
      seconds_summary = summary,
      quantities_summary = nrow(found), gigabytes_peak_summary = peak_gigabytes()
    )
  }
)

# Peak of the process so far, where the system tells (Linux)
peak_gigabytes <- function() {
  file <- "/proc/self/status"
  if (!file.exists(file)) return(NA_real_)
  line <- grep("^VmHWM", readLines(file), value = TRUE)
  as.double(gsub("[^0-9]", "", line)) / 2^20
}

main <- function(chosen, runs, folder) {
  if (length(chosen) == 0) chosen <- names(parts)
  unknown <- setdiff(chosen, names(parts))
  if (length(unknown)) stop("No part is called ", toString(unknown), ".", call. = FALSE)
  writeLines(describe_machine())
  warm_up()
  for (part in chosen) {
    cat("\n", part, "\n", sep = "")
    started <- Sys.time()
    keep_going(save_results(parts[[part]](runs), part, folder))
    cat(format(round(difftime(Sys.time(), started, units = "secs"))), "\n")
  }
}

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "problems.R"))
library(hmvn)
options(width = 150)
job <- option_given("job", "")
if (nzchar(job)) {
  saveRDS(alone[[job]](), arguments_given())
} else {
  main(
    arguments_given(), as.integer(option_given("runs", 5)), option_given("folder", results_folder())
  )
}
