# hmvn against Stan, alternating:
#   Rscript inst/benchmarks/against_stan.R [--runs=5] [--folder=<folder>] [problem ...]
# Needs rstan 2.32 or later; the environment variable HMVN_STAN_LIB may name the library that it is
# in, and HMVN_STAN_CACHE a folder that keeps compiled programs (else they are compiled anew, one to
# two minutes each).
#
# hmvn: the whole call of fit_hmvn(), from data frame to fit, 4 chains of 1,000 + 1,000 iterations,
# one core. Stan: its own clock of sampling alone, no warm-up, no compilation; chains and iterations
# below. That is `ratio`; `ratio_sampling` is sampling alone against sampling alone, and
# `ratio_warm` the whole call against warm-up and sampling. `ratio_cpu` is `ratio` in
# processor time, which others on the machine change least: tables show it.
# Effective sample sizes of both are computed by the same code: the least over all means, standard
# deviations and correlations, the smaller of bulk and tail. Where priors are stated in a frame the
# Stan programs sample in that frame, and both sides' draws are of the features as they are. Under
# partial pooling groups' means of different features vary independently of each other, on both
# sides. hmvn and rstan run in processes of
# their own, for they may come with different TBB libraries. Saves one file a problem.

# Stan's program and length of run (slow problems: one chain), and the number of runs where it is
# less than `--runs`. Stan's default target acceptance is raised where it leaves divergent
# transitions. "direct" repeats a problem with the direct translation.
plans <- function() {
  plan <- function(problem, program, chains = 2, warmup = 1000, sampling = 1000, runs = Inf,
                   adapt_delta = 0.8) {
    list(
      problem = problem, program = program, chains = chains, warmup = warmup, sampling = sampling,
      runs = runs,
      adapt_delta = adapt_delta
    )
  }
  list(
    seed = plan("seed", "unpooled_expert"),
    iris = plan("iris", "unpooled_expert"),
    synth = plan("synth", "unpooled_expert"),
    big = plan("big", "unpooled_expert", chains = 1),
    iris_partial = plan("iris_partial", "partial_expert"),
    schools_partial = plan("schools_partial", "partial_expert"),
    groups_partial = plan("groups_partial", "partial_expert", chains = 1),
    small_partial = plan("small_partial", "partial_expert", chains = 1),
    collinear_partial = plan("collinear_partial", "partial_expert", adapt_delta = 0.95),
    frame_synth = plan("frame_synth", "unpooled_expert"),
    frame_crabs = plan("frame_crabs", "unpooled_expert"),
    frame_iris_partial = plan("frame_iris_partial", "partial_expert", adapt_delta = 0.95),
    frame_schools_partial = plan("frame_schools_partial", "partial_expert"),
    seed_direct = plan("seed", "unpooled_direct", warmup = 500, sampling = 500, runs = 3),
    iris_direct = plan("iris", "unpooled_direct", runs = 3),
    synth_direct = plan(
      "synth", "unpooled_direct", chains = 1, warmup = 300, sampling = 300, runs = 1
    )
  )
}

main <- function(chosen, runs, folder) {
  all <- plans()
  if (length(chosen) == 0) chosen <- names(all)
  unknown <- setdiff(chosen, names(all))
  if (length(unknown)) stop("No problem is called ", toString(unknown), ".", call. = FALSE)
  for (name in chosen) {
    keep_going(compare_on(name, all[[name]], min(runs, all[[name]]$runs), folder))
  }
}

compare_on <- function(name, plan, runs, folder) {
  cat(
    "\n", name, ": 4 x (1,000 + 1,000) against ", plan$chains, " x (", plan$warmup, " + ",
    plan$sampling, ") of ", plan$program, ".stan\n", sep = ""
  )
  compile_seconds <- run_worker("compile", name)$seconds
  frame <- tempfile(fileext = ".rds")
  on.exit(unlink(frame))
  saveRDS(run_worker("frame", name), frame)
  each <- do.call(cbind, lapply(seq_len(runs), function(run) {
    each <- c(measure_hmvn(name, run), measure_stan(name, run, frame))
    cat(
      "run", run, ": ", paste(names(each), signif(each, 3), sep = " ", collapse = ", "), "\n",
      sep = ""
    )
    each
  }))
  middle <- apply(each, 1, stats::median)
  summary <- cbind(c(
    ratio = middle[["hmvn_per_second"]] / middle[["stan_per_second"]],
    ratio_sampling = middle[["hmvn_per_second_sampling"]] / middle[["stan_per_second"]],
    ratio_warm = middle[["hmvn_per_second"]] / middle[["stan_per_second_warm"]],
    ratio_cpu = middle[["hmvn_per_second_cpu"]] / middle[["stan_per_second_cpu"]],
    stan_chains = plan$chains, stan_iterations = plan$sampling,
    stan_seconds_compile = compile_seconds
  ))
  results <- rbind(
    summarise_runs("against_stan", name, each), summarise_runs("against_stan", name, summary)
  )
  print(results[c("measure", "median", "least", "greatest")], row.names = FALSE)
  save_results(results, paste0("stan_", name), folder, versions = run_worker("version", name))
}

measure_hmvn <- function(name, run) {
  found <- run_worker("hmvn", name, run)
  ess <- least_ess(found$draws)
  c(
    hmvn_seconds = found$seconds, hmvn_seconds_cpu = found$cpu, hmvn_ess = ess,
    hmvn_per_second = ess / found$seconds, hmvn_per_second_cpu = ess / found$cpu,
    hmvn_seconds_sampling = found$sampling, hmvn_per_second_sampling = ess / found$sampling
  )
}

measure_stan <- function(name, run, frame) {
  found <- run_worker("stan", name, run, frame)
  ess <- least_ess(found$draws)
  c(
    stan_seconds_warmup = found$warmup, stan_seconds_sampling = found$sampling, stan_ess = ess,
    stan_per_second = ess / found$sampling,
    stan_per_second_warm = ess / (found$warmup + found$sampling),
    stan_per_second_cpu = ess / found$sampling_cpu,
    stan_leapfrog = found$leapfrog, stan_microseconds_gradient = found$microseconds_gradient,
    stan_divergent = found$divergent
  )
}

# in the other processes ----------------------------------------------------

work <- function(job, name, run = 0, frame = "") {
  plan <- plans()[[name]]
  problem <- benchmark_problem(plan$problem)
  switch(job,
    frame = list(root = root_of_frame(problem)),
    hmvn = work_hmvn(problem, run),
    stan = work_stan(plan, c(problem, readRDS(frame)), run),
    compile = list(seconds = with_stan(stan_program(plan$program)$seconds)),
    version = with_stan(toString(paste(c("rstan", "StanHeaders"), c(
      format(utils::packageVersion("rstan")), format(utils::packageVersion("StanHeaders"))
    ))))
  )
}

# The root of the frame as hmvn resolves it, NULL of the raw features
root_of_frame <- function(problem) {
  library(hmvn)
  quietly(time_call(problem, chains = 1, iter_warmup = 20, iter_sampling = 10))$fit$prior$frame$root
}

work_hmvn <- function(problem, run) {
  library(hmvn)
  warm_up()
  timed <- quietly(time_call(problem, seed = as.integer(run), cores = 1))
  list(
    seconds = timed$seconds, cpu = timed$cpu, sampling = sum(timed$fit$time$sampling),
    draws = draws_of_fit(timed$fit)
  )
}

work_stan <- function(plan, problem, run) {
  with_stan({
    program <- stan_program(plan$program)
    used <- system.time(fit <- quietly(rstan::sampling(
      program$model, data = stan_data(problem, plan$program), pars = compared_quantities,
      chains = plan$chains, cores = 1,
      iter = plan$warmup + plan$sampling, warmup = plan$warmup, seed = as.integer(run), refresh = 0,
      control = list(adapt_delta = plan$adapt_delta)
    )))
  })
  time <- colSums(rstan::get_elapsed_time(fit))
  sampler <- do.call(rbind, rstan::get_sampler_params(fit, inc_warmup = FALSE))
  # Stan's clock is the wall's; a process on a machine in use by others has a share of it
  share <- (used[["user.self"]] + used[["sys.self"]]) / used[["elapsed"]]
  list(
    warmup = time[["warmup"]], sampling = time[["sample"]],
    sampling_cpu = time[["sample"]] * min(1, share), draws = draws_of_stan(fit, problem$root),
    leapfrog = mean(sampler[, "n_leapfrog__"]), divergent = sum(sampler[, "divergent__"]),
    microseconds_gradient = 1e6 * time[["sample"]] / sum(sampler[, "n_leapfrog__"])
  )
}

folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
for (file in c("problems.R", "stan_programs.R")) source(file.path(folder, file))
options(width = 150)
job <- option_given("job", "")
if (nzchar(job)) {
  given <- arguments_given()
  saveRDS(do.call(work, as.list(c(job, given[-1]))), given[1], compress = FALSE)
} else {
  main(
    arguments_given(), as.integer(option_given("runs", 5)), option_given("folder", results_folder())
  )
}
