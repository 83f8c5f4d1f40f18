# What against_stan.R and limits.R share: data, priors, effective sample sizes, and how results are
# written.

# problems ------------------------------------------------------------------

# A problem: data (column `group`, then the features), the constants of the prior (means Normal,
# standard deviations exponential, correlation matrices LKJ) and the pooling. Groups' means of
# different features vary independently of each other, as in the Stan programs, where nothing else
# is said.
benchmark_problem <- function(name) {
  like_stan(switch(name,
    seed = new_problem(simulate_groups(2, 2, 1000), mean_scale = 1),
    iris = new_problem(iris_data(), mean_scale = 10),
    synth = new_problem(simulate_groups(20, 5, 200)),
    big = new_problem(simulate_groups(200, 5, 50)),
    wide = new_problem(simulate_groups(20, 10, 1000)),
    iris_partial = new_problem(iris_data(), "partial", mean_location = 3.5, mean_scale = 3),
    schools_partial = new_problem(schools_data(), "partial", mean_scale = 2, eta = 1.5),
    groups_partial = new_problem(simulate_related(200, 5, 50, 0.7), "partial"),
    small_partial = new_problem(simulate_related(150, 4, 6, 0.7), "partial"),
    collinear_partial = new_problem(simulate_related(4, 5, 50, 0.995), "partial"),
    frame_synth = in_frame(benchmark_problem("synth")),
    frame_crabs = in_frame(new_problem(crabs_data(), mean_location = 25, mean_scale = 20)),
    frame_iris_partial = in_frame(benchmark_problem("iris_partial")),
    frame_schools_partial = in_frame(benchmark_problem("schools_partial")),
    stop("No problem is called ", name, ".", call. = FALSE)
  ))
}

new_problem <- function(data, pooling = "none", mean_location = 0, mean_scale = 2.5, sd_rate = 1,
                        eta = 2) {
  list(
    data = data, features = setdiff(names(data), "group"), pooling = pooling,
    prior = list(
      mean_location = mean_location, mean_scale = mean_scale, sd_rate = sd_rate, eta = eta
    ),
    more = list() # other arguments of hmvn_prior()
  )
}

like_stan <- function(problem) {
  problem$more$between <- "independent"
  problem
}

# Standard deviations and correlations in the pooled frame, means on the raw features
in_frame <- function(problem) {
  problem$more$frame <- "pooled"
  problem
}

iris_data <- function() {
  data.frame(group = as.character(datasets::iris$Species), datasets::iris[1:4])
}

# Five lengths, correlated 0.98 to 0.998; groups in hmvn's order, the alphabet's
crabs_data <- function() {
  crabs <- MASS::crabs[order(MASS::crabs$sp, MASS::crabs$sex), ]
  data.frame(group = paste(crabs$sp, crabs$sex), crabs[c("FL", "RW", "CL", "CW", "BD")])
}

schools_data <- function() utils::read.csv(beside_script("data", "schools.csv"))

# `groups` groups with their own means, scales and correlations, in columns group, x1, x2, ...
simulate_groups <- function(groups, features, rows) {
  set.seed(20)
  y <- lapply(seq_len(groups), function(g) {
    mixing <- 0.5 * matrix(stats::rnorm(features^2), features)
    mixing[lower.tri(mixing)] <- 0
    diag(mixing) <- exp(0.3 * stats::rnorm(features)) # triangular: no group is near singular
    sweep(matrix(stats::rnorm(rows * features), rows) %*% mixing, 2, stats::rnorm(features), `+`)
  })
  bind_groups(y)
}

# Groups that resemble each other: every feature is a common factor, with a loading near `loading`,
# and its own noise.
simulate_related <- function(groups, features, rows, loading) {
  set.seed(21)
  y <- lapply(seq_len(groups), function(g) {
    own <- tanh(atanh(loading) + 0.3 * stats::rnorm(features))
    sd <- exp(0.3 * stats::rnorm(features))
    noise <- matrix(stats::rnorm(rows * features), rows)
    y <- outer(stats::rnorm(rows), own) + sweep(noise, 2, sqrt(1 - own^2), `*`)
    sweep(sweep(y, 2, sd, `*`), 2, 0.7 * stats::rnorm(features), `+`)
  })
  bind_groups(y)
}

bind_groups <- function(y) {
  data <- as.data.frame(do.call(rbind, y))
  names(data) <- paste0("x", seq_along(data))
  cbind(group = rep(seq_along(y), vapply(y, nrow, 1L)), data)
}

# fits ----------------------------------------------------------------------

# The whole call, from data frame to fit, timed. `...`: settings of the sampler.
time_call <- function(problem, ...) {
  prior <- problem$prior
  started <- Sys.time() # of finer resolution than proc.time()
  time <- system.time(gcFirst = FALSE, {
    fit <- fit_hmvn(
      problem$data, ~group, problem$features,
      pooling = problem$pooling, progress = FALSE, ...,
      prior = do.call(hmvn_prior, c(list(
        mean = distributional::dist_normal(prior$mean_location, prior$mean_scale),
        sd = distributional::dist_exponential(prior$sd_rate), cor = dist_lkj(prior$eta)
      ), problem$more))
    )
  })
  seconds <- as.double(difftime(Sys.time(), started, units = "secs"))
  list(fit = fit, seconds = seconds, cpu = time[["user.self"]] + time[["sys.self"]])
}

# R loads functions when they are first called; what should not include that calls this before.
warm_up <- function() {
  for (pooling in c("none", "partial")) {
    problem <- new_problem(simulate_groups(3, 2, 20), pooling)
    fit <- quietly(time_call(problem, iter_warmup = 100, iter_sampling = 100, seed = 1)$fit)
    summary(fit)
  }
}

# Short runs end in warnings about effective sample sizes: known here.
quietly <- function(expr) suppressWarnings(suppressMessages(expr))

# Draws of all means, standard deviations and correlations (lower triangle) as [iteration, chain,
# quantity].
draws_of_fit <- function(fit) {
  draws <- posterior::as_draws_rvars(fit, variable = c("mu", "sigma", "Omega"))
  flat <- lapply(draws, function(x) {
    x <- posterior::draws_of(x, with_chains = TRUE)
    dim(x) <- c(dim(x)[1:2], prod(dim(x)[-(1:2)]))
    x
  })
  K <- length(fit$statistics$features)
  lower <- rep(lower.tri(diag(K)), each = dim(flat$Omega)[3] / K^2)
  flat$Omega <- flat$Omega[, , lower, drop = FALSE]
  array(
    unlist(flat, use.names = FALSE),
    c(dim(flat$mu)[1:2], sum(vapply(flat, function(x) dim(x)[3], 1L)))
  )
}

# The least over quantities of the smaller of bulk and tail effective sample size
least_ess <- function(draws) {
  ess <- vapply(seq_len(dim(draws)[3]), function(i) {
    x <- draws[, , i]
    suppressWarnings(min(posterior::ess_bulk(x), posterior::ess_tail(x)))
  }, double(1))
  min(ess)
}

# results -------------------------------------------------------------------

# [measure, run] -> one row a measure
summarise_runs <- function(benchmark, case, each) {
  data.frame(
    benchmark = benchmark, case = as.character(case), measure = rownames(each),
    median = signif(apply(each, 1, stats::median), 4), least = signif(apply(each, 1, min), 4),
    greatest = signif(apply(each, 1, max), 4), runs = ncol(each), row.names = NULL
  )
}

# Several runs of `measure(run)`, which gives named numbers
repeat_runs <- function(benchmark, case, runs, measure) {
  each <- lapply(seq_len(runs), measure)
  result <- summarise_runs(benchmark, case, do.call(cbind, each))
  show(result)
  result
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

# A benchmark that fails does not keep the others from being run.
keep_going <- function(expr) {
  tryCatch(expr, error = function(cnd) message("Failed: ", conditionMessage(cnd)))
}

# One file a benchmark, so that one can be repeated alone; the machine is described in its first
# lines.
save_results <- function(results, name, folder, versions = character()) {
  force(results) # what is printed while it is measured does not belong into the file
  file <- file.path(folder, paste0(name, ".csv"))
  head <- paste("#", c(describe_machine(), versions))
  table <- utils::capture.output(utils::write.csv(results, row.names = FALSE, quote = FALSE))
  writeLines(c(head, table), file)
  cat("Saved: ", file, "\n", sep = "")
}

describe_machine <- function() {
  processor <- "unknown processor"
  if (file.exists("/proc/cpuinfo")) {
    found <- grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)
    if (length(found)) processor <- sub(".*: *", "", found[1])
  }
  c(
    paste0(
      "hmvn ", utils::packageVersion("hmvn"), ", ", R.version.string, ", ", format(Sys.Date())
    ),
    paste0(processor, ", ", parallel::detectCores(), " cores, ", R.version$platform)
  )
}

# processes -----------------------------------------------------------------

# This script again, in a process of its own that does one job and leaves the result in a file
run_worker <- function(job, ...) {
  exchange <- tempfile(fileext = ".rds")
  on.exit(unlink(exchange))
  if (!nzchar(Sys.getenv("HMVN_STAN_CACHE"))) Sys.setenv(HMVN_STAN_CACHE = tempdir())
  status <- system2(
    file.path(R.home("bin"), "Rscript"),
    shQuote(c(this_script(), paste0("--job=", job), exchange, ...))
  )
  if (status != 0) stop("The process for ", job, " failed.", call. = FALSE)
  readRDS(exchange)
}

beside_script <- function(...) file.path(dirname(this_script()), ...)

this_script <- function() {
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  gsub("~+~", " ", script[1], fixed = TRUE)
}

# Beside the script, where one can write there
results_folder <- function() {
  folder <- beside_script("results")
  if (file.access(folder, 2) == 0) folder else tempdir()
}

# "--name=value" among the arguments, else the default
option_given <- function(name, default) {
  given <- grep(paste0("^--", name, "="), commandArgs(TRUE), value = TRUE)
  if (length(given)) sub("^[^=]*=", "", given[1]) else default
}
arguments_given <- function() grep("^--", commandArgs(TRUE), value = TRUE, invert = TRUE)
