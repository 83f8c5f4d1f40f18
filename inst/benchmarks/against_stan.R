# hmvn against Stan, alternating:
#   Rscript inst/benchmarks/against_stan.R [--runs=5] [--folder=inst/benchmarks/results] [problem ...]
# Needs rstan 2.32 or later; the environment variable HMVN_STAN_LIB may name the library that it is in, and
# HMVN_STAN_CACHE a folder that keeps compiled programs (else they are compiled anew, one to two minutes each).
#
# hmvn: the whole call of fit_hmvn(), from data frame to fit, 4 chains of 1,000 + 1,000 iterations, one core; its processor
# time is noted as well. Stan: its own clock of sampling alone, no warm-up, no compilation; chains and iterations below.
# Effective sample sizes of both are computed here by the same code: the least over all means, standard deviations and
# correlations, the smaller of bulk and tail. hmvn and rstan run in processes of their own, for they may come with
# different TBB libraries. Saves one file a problem.

# Stan's program and length of run (slow problems: fewer iterations), and the number of runs where it is not `--runs`.
# "direct" repeats a problem with the direct translation.
plans <- function() {
  plan <- function(problem, program, chains = 2, warmup = 1000, sampling = 1000, runs = Inf) {
    list(problem = problem, program = program, chains = chains, warmup = warmup, sampling = sampling, runs = runs)
  }
  list(
    seed = plan("seed", "unpooled_expert"),
    iris = plan("iris", "unpooled_expert"),
    synth = plan("synth", "unpooled_expert"),
    big = plan("big", "unpooled_expert", warmup = 500, sampling = 500, runs = 3),
    iris_partial = plan("iris_partial", "partial_expert"),
    schools_partial = plan("schools_partial", "partial_expert"),
    groups_partial = plan("groups_partial", "partial_expert", warmup = 500, sampling = 500, runs = 3),
    small_partial = plan("small_partial", "partial_expert", warmup = 500, sampling = 500, runs = 3),
    collinear_partial = plan("collinear_partial", "partial_expert"),
    seed_direct = plan("seed", "unpooled_direct", warmup = 500, sampling = 500, runs = 3),
    iris_direct = plan("iris", "unpooled_direct", runs = 3),
    synth_direct = plan("synth", "unpooled_direct", chains = 1, warmup = 300, sampling = 300, runs = 1)
  )
}

main <- function(chosen, runs, folder) {
  all <- plans()
  if (length(chosen) == 0) chosen <- names(all)
  for (name in chosen) {
    plan <- all[[name]]
    if (is.null(plan)) stop("No problem is called ", name, ".", call. = FALSE)
    cat("\n", name, ": 4 x (1,000 + 1,000) against ", plan$chains, " x (", plan$warmup, " + ", plan$sampling, ") of ",
      plan$program, ".stan\n", sep = "")
    compile_seconds <- run_worker("compile", name, 0)$seconds
    measured <- lapply(seq_len(min(runs, plan$runs)), function(run) {
      each <- c(measure_hmvn(name, run), measure_stan(name, run))
      cat(" ", names(each), "\n ", format(each, digits = 3, scientific = FALSE), "\n")
      each
    })
    each <- do.call(cbind, measured)
    results <- rbind(
      summarise_runs("against_stan", name, each),
      summarise_runs("against_stan", name, rbind(
        ratio = median(each["hmvn_per_second", ]) / median(each["stan_per_second", ]),
        ratio_cpu = median(each["hmvn_per_second_cpu", ]) / median(each["stan_per_second", ]),
        stan_chains = plan$chains, stan_iterations = plan$sampling, stan_seconds_compile = compile_seconds
      ))
    )
    print(results[c("measure", "median", "least", "greatest")], row.names = FALSE)
    save_results(results, paste0("stan_", name), folder, versions = run_worker("version", name, 0))
  }
}

measure_hmvn <- function(name, run) {
  found <- run_worker("hmvn", name, run)
  ess <- least_ess(found$draws)
  c(
    hmvn_seconds = found$seconds, hmvn_seconds_cpu = found$cpu, hmvn_ess = ess,
    hmvn_per_second = ess / found$seconds, hmvn_per_second_cpu = ess / found$cpu
  )
}

measure_stan <- function(name, run) {
  found <- run_worker("stan", name, run)
  ess <- least_ess(found$draws)
  c(
    stan_seconds_warmup = found$warmup, stan_seconds_sampling = found$sampling, stan_ess = ess,
    stan_per_second = ess / found$sampling, stan_leapfrog = found$leapfrog,
    stan_microseconds_gradient = found$microseconds_gradient, stan_divergent = found$divergent
  )
}

# This script again, in a process of its own
run_worker <- function(job, name, run) {
  exchange <- tempfile(fileext = ".rds")
  on.exit(unlink(exchange))
  status <- system2(
    file.path(R.home("bin"), "Rscript"), shQuote(c(this_script(), paste0("--job=", job), name, run, exchange))
  )
  if (status != 0) stop("The process for ", job, " failed.", call. = FALSE)
  readRDS(exchange)
}

# in the other processes ----------------------------------------------------

work <- function(job, name, run, exchange) {
  plan <- plans()[[name]]
  result <- switch(job,
    hmvn = work_hmvn(benchmark_problem(plan$problem), run),
    stan = work_stan(plan, benchmark_problem(plan$problem), run),
    compile = list(seconds = with_stan(stan_program(plan$program)$seconds)),
    version = with_stan(paste0("rstan ", utils::packageVersion("rstan"), ", StanHeaders ", utils::packageVersion("StanHeaders")))
  )
  saveRDS(result, exchange, compress = FALSE)
}

work_hmvn <- function(problem, run) {
  library(hmvn)
  warm_up()
  timed <- quietly(time_call(problem, seed = run, cores = 1))
  list(seconds = timed$seconds, cpu = timed$cpu, draws = draws_of_fit(timed$fit))
}

with_stan <- function(expr) {
  library <- Sys.getenv("HMVN_STAN_LIB")
  if (nzchar(library)) .libPaths(c(library, .libPaths()))
  suppressPackageStartupMessages(loadNamespace("rstan"))
  expr
}

work_stan <- function(plan, problem, run) {
  with_stan({
    program <- stan_program(plan$program)
    quantities <- c("mu", "sigma", "Omega")
    fit <- quietly(rstan::sampling(
      program$model, data = stan_data(problem, plan$program), pars = quantities, chains = plan$chains, cores = 1,
      iter = plan$warmup + plan$sampling, warmup = plan$warmup, seed = run, refresh = 0
    ))
  })
  draws <- as.array(fit, pars = quantities)
  names <- dimnames(draws)$parameters
  place <- regmatches(names, regexec("^Omega\\[\\d+,(\\d+),(\\d+)\\]$", names))
  lower <- vapply(place, function(x) length(x) == 0 || as.integer(x[2]) > as.integer(x[3]), NA)
  time <- colSums(rstan::get_elapsed_time(fit))
  sampler <- do.call(rbind, rstan::get_sampler_params(fit, inc_warmup = FALSE))
  list(
    warmup = time[["warmup"]], sampling = time[["sample"]], draws = unname(draws[, , lower, drop = FALSE]),
    leapfrog = mean(sampler[, "n_leapfrog__"]), divergent = sum(sampler[, "divergent__"]),
    microseconds_gradient = 1e6 * time[["sample"]] / sum(sampler[, "n_leapfrog__"])
  )
}

# The compiled program and the seconds it took, from the cache where that has it
stan_program <- function(name) {
  source <- beside_script("stan", paste0(name, ".stan"))
  folder <- Sys.getenv("HMVN_STAN_CACHE", dirname(tempdir()))
  key <- c(name, substr(tools::md5sum(source), 1, 8), as.character(utils::packageVersion("rstan")))
  file <- file.path(folder, paste0(paste(key, collapse = "-"), ".rds"))
  if (file.exists(file)) {
    return(readRDS(file))
  }
  cat("Compiling ", name, ".stan\n", sep = "")
  seconds <- system.time(model <- rstan::stan_model(source, model_name = name, auto_write = FALSE))[["elapsed"]]
  program <- list(model = model, seconds = seconds)
  saveRDS(program, file)
  program
}

# Data of the Stan programs: rows for the direct one, else sufficient statistics
stan_data <- function(problem, program) {
  group <- factor(problem$data$group, unique(problem$data$group))
  y <- as.matrix(problem$data[problem$features])
  K <- ncol(y)
  G <- nlevels(group)
  n <- as.vector(table(group))
  prior <- with(problem$prior, list(
    mean_location = rep_len(mean_location, K), mean_scale = rep_len(mean_scale, K), sd_rate = rep_len(sd_rate, K), eta = eta
  ))
  if (program == "unpooled_direct") {
    last <- cumsum(n)
    rows <- list(N = nrow(y), y = y[order(group), ], first = array(last - n + 1), last = array(last))
    return(c(list(K = K, G = G), rows, prior))
  }
  ybar <- rowsum(y, group) / n
  centred <- y - ybar[group, ]
  S <- array(0, c(G, K, K))
  for (g in seq_len(G)) S[g, , ] <- crossprod(centred[group == levels(group)[g], , drop = FALSE])
  data <- c(list(K = K, G = G, n = n, ybar = t(ybar), S = S), prior)
  if (program == "partial_expert") c(data, list(h_prior = c(1, 1)), choose_centring(n, S)) else data
}

# Scores of a quantity are sampled as such unless the groups might be equal in it, judged by their estimates' variance against
# their standard errors; then not centred. With few groups that takes more. (The rule that served best of those tried.)
choose_centring <- function(n, S) {
  K <- dim(S)[2]
  some <- n > K + 1
  limit <- 1 + sqrt(3 / sum(some))
  log_sd <- vapply(seq_len(K), function(k) 0.5 * log(S[some, k, k] / (n[some] - 1)), double(sum(some)))
  error_sd <- mean(0.5 / (n[some] - 1))
  partial <- t(apply(S[some, , , drop = FALSE], 1, function(x) atanh(partial_correlations(x))))
  error_cor <- mean(1 / (n[some] - 1))
  list(
    centred_sd = array(as.integer(apply(log_sd, 2, stats::var) > limit * error_sd)),
    centred_cor = array(rep(as.integer(mean(apply(partial, 2, stats::var)) > limit * error_cor), K * (K - 1) / 2))
  )
}

# Canonical partial correlations of a scatter matrix, row by row
partial_correlations <- function(S) {
  L <- t(chol(stats::cov2cor(S)))
  unlist(lapply(seq_len(nrow(L))[-1], function(i) {
    vapply(seq_len(i - 1), function(j) L[i, j] / sqrt(sum(L[i, j:i]^2)), double(1))
  }))
}

# The other processes run this file too: sourcing comes first
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])), "problems.R"))
options(width = 150)
job <- option_given("job", "")
if (nzchar(job)) {
  given <- arguments_given()
  work(job, given[1], as.integer(given[2]), given[3])
} else {
  main(arguments_given(), as.integer(option_given("runs", 5)), option_given("folder", results_folder()))
}
