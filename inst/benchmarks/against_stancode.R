# hmvn against the Stan programs that it writes, where the model is more than those of
# against_stan.R: a frame, covariance between groups, covariates.
#   Rscript inst/benchmarks/against_stancode.R [--runs=3] [--folder=<folder>] [problem ...]
# Needs rstan; HMVN_STAN_LIB and HMVN_STAN_CACHE as in against_stan.R.
#
# The programs are stancode(fit) with standata(fit): the same posterior, from counts, means and
# scatter of the groups where rows are complete. Both sides by their own clocks of sampling alone,
# one core; hmvn 4 chains of 1,000 + 1,000, Stan 2 of 500 + 500. Effective sample sizes of both are
# computed by the same code: the least over all means, standard deviations and correlations, the
# smaller of bulk and tail.

stan_length <- list(chains = 2, warmup = 500, sampling = 500)

# Each a call of fit_hmvn() less the settings of the sampler
problems <- function() {
  crabs <- MASS::crabs
  crabs$group <- paste(crabs$sp, crabs$sex)
  lengths <- c("FL", "RW", "CL", "CW", "BD")
  raw <- hmvn::hmvn_prior(frame = "raw")
  list(
    frame_crabs = list(crabs, "group", lengths),
    frame_iris_partial = list(iris, "Species", pooling = "partial"),
    between_schools = list(schools_data(), "group", pooling = "partial", prior = raw),
    between_related = list(
      simulate_related(12, 3, 20, 0.7), "group", pooling = "partial", prior = raw
    ),
    covariates_iris = list(
      iris, "Species", c("Sepal.Length", "Sepal.Width"), covariates = ~Petal.Length,
      pooling = "partial", prior = raw
    ),
    covariates_crabs = list(
      crabs, "group", setdiff(lengths, "CL"), covariates = ~CL, pooling = "partial"
    )
  )
}

main <- function(chosen, runs, folder) {
  for (name in chosen) keep_going(compare_on(name, runs, folder))
}

compare_on <- function(name, runs, folder) {
  cat("\n", name, "\n", sep = "")
  program <- run_worker("program", name)
  each <- do.call(cbind, lapply(seq_len(runs), function(run) {
    ours <- run_worker("hmvn", name, run)
    stan <- run_worker("stan", name, run)
    seconds <- c(hmvn = ours$seconds, stan = stan$seconds)
    ess <- c(hmvn = least_ess(ours$draws), stan = least_ess(stan$draws))
    out <- c(
      ratio_sampling = unname(ess["hmvn"] / seconds["hmvn"] / (ess["stan"] / seconds["stan"])),
      seconds = seconds, ess = ess, stan_leapfrog = stan$leapfrog, stan_divergent = stan$divergent,
      # the same posterior? the largest difference of means in Monte Carlo errors
      largest_z = largest_z(ours$draws, stan$draws)
    )
    cat("run", run, ": ", paste(names(out), signif(out, 3), collapse = ", "), "\n", sep = "")
    out
  }))
  result <- summarise_runs("against_stancode", name, each)
  print(result[c("measure", "median", "least", "greatest")], row.names = FALSE)
  save_results(result, paste0("stancode_", name), folder, versions = program$version)
}

# Quantities are in the same order on both sides.
largest_z <- function(a, b) {
  stopifnot(dim(a)[3] == dim(b)[3])
  z <- vapply(seq_len(dim(a)[3]), function(i) {
    x <- a[, , i]
    y <- b[, , i]
    (mean(x) - mean(y)) / sqrt(posterior::mcse_mean(x)^2 + posterior::mcse_mean(y)^2)
  }, 1)
  max(abs(z))
}

# in the other processes ----------------------------------------------------

work <- function(job, name, run = 0) {
  cache <- file.path(Sys.getenv("HMVN_STAN_CACHE"), paste0("stancode-", name, ".rds"))
  switch(job, program = write_program(name, cache), hmvn = work_hmvn(name, as.integer(run)),
    stan = with_stan(work_stan(cache, as.integer(run))))
}

fit_problem <- function(name, ...) {
  quietly(do.call(hmvn::fit_hmvn, c(problems()[[name]], list(..., cores = 1))))
}

write_program <- function(name, cache) {
  fit <- fit_problem(name, chains = 1, iter_warmup = 20, iter_sampling = 10, seed = 1)
  code <- as.character(hmvn::stancode(fit))
  data <- hmvn::standata(fit)
  known <- if (file.exists(cache)) readRDS(cache)
  old <- with_stan(utils::packageVersion("rstan")) < "2.26"
  if (old) code <- older_syntax(code)
  model <- if (identical(known$code, code)) known$model
  saveRDS(list(code = code, data = data, model = model), cache)
  list(version = paste("rstan", format(utils::packageVersion("rstan"))))
}

work_hmvn <- function(name, run) {
  fit <- fit_problem(name, seed = run)
  list(seconds = sum(fit$time$sampling), draws = draws_of_fit(fit))
}

# Sampling after warm-up; the program is compiled once.
work_stan <- function(cache, run) {
  stored <- readRDS(cache)
  if (is.null(stored$model)) {
    stored$model <- rstan::stan_model(model_code = stored$code, auto_write = FALSE)
    saveRDS(stored, cache)
  }
  fit <- quietly(with(stan_length, rstan::sampling(
    stored$model, data = stored$data, chains = chains, iter = warmup + sampling, warmup = warmup,
    cores = 1, seed = run, refresh = 0, pars = compared_quantities
  )))
  sampler <- do.call(rbind, rstan::get_sampler_params(fit, inc_warmup = FALSE))
  list(
    seconds = sum(rstan::get_elapsed_time(fit)[, "sample"]),
    draws = draws_of_stan(fit),
    leapfrog = mean(sampler[, "n_leapfrog__"]), divergent = sum(sampler[, "divergent__"])
  )
}

folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
for (file in c("problems.R", "stan_programs.R", "../validation/older_stan.R")) {
  source(file.path(folder, file))
}
options(width = 150)
job <- option_given("job", "")
if (nzchar(job)) {
  given <- arguments_given()
  saveRDS(do.call(work, as.list(c(job, given[-1]))), given[1], compress = FALSE)
} else {
  chosen <- arguments_given()
  main(
    if (length(chosen)) chosen else names(problems()), as.integer(option_given("runs", 3)),
    option_given("folder", results_folder())
  )
}
