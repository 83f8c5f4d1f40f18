# Ctrl-C at random moments: an interactive session fits, summarises, imputes or reads, is sent
# SIGINT there, and is asked whether it lives, how soon it listens, and whether its next fit is
# right.
#
#   Rscript inst/validation/interrupts.R [tries] [kind ...]    from the package's folder
#
# 50 tries of every kind by default, on one core and on two (as the option mc.cores). Needs processx
# and a unix. Results: results/interrupts.csv beside this file, written after every kind; rows of
# kinds that were not asked for stay. `seconds` is how long the call takes by itself, `heard` how
# many tries came before its end; `median`, `q95` and `largest` are the seconds from the signal to
# the answer, of all tries; `load` is the machine's load during the kind, on so many `processors`.

arguments <- commandArgs(TRUE)
tries <- if (length(arguments)) as.integer(arguments[1]) else 50L
results <- "inst/validation/results/interrupts.csv"

# What is made first, and the call that is interrupted.
kinds <- list(
  nuts = c(
    "d <- data.frame(g = rep(1:20, each = 6), matrix(rnorm(20 * 6 * 4), ncol = 4))",
    "fit_hmvn(d, ~g, algorithm = 'nuts', iter_warmup = 150, iter_sampling = 150, seed = 1)"
  ),
  partial = c(
    "d <- data.frame(g = rep(1:20, each = 10), matrix(rnorm(20 * 10 * 4), ncol = 4))",
    "fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 200, iter_sampling = 100, seed = 1)"
  ),
  partial_progress = c(
    "d <- data.frame(g = rep(1:20, each = 10), matrix(rnorm(20 * 10 * 4), ncol = 4))",
    paste(
      "fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 200, iter_sampling = 100, seed = 1,",
      "progress = TRUE)"
    )
  ),
  missing_cells = c(
    "d <- data.frame(g = rep(1:6, each = 50), matrix(rnorm(1800), ncol = 6)); d[2][d[2] > 1] <- NA",
    "fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 200, iter_sampling = 200, seed = 1)"
  ),
  covariate = c(
    "d <- data.frame(g = rep(1:20, each = 10), z = rnorm(200), x = rnorm(200), y = rnorm(200))",
    paste(
      "fit_hmvn(d, ~g, ~ x + y, covariates = ~z, pooling = 'partial', chains = 2,",
      "iter_sampling = 500, seed = 1)"
    )
  ),
  direct_many_groups = c(
    "d <- data.frame(g = rep(1:1000, each = 30), x = rnorm(3e4), y = rnorm(3e4))",
    "fit_hmvn(d, ~g, ~ x + y, seed = 1, iter_sampling = 500)"
  ),
  direct_one_group = c(
    "d <- data.frame(g = 1, matrix(rnorm(4000), ncol = 8))",
    "fit_hmvn(d, ~g, iter_sampling = 60000, chains = 2, seed = 1)"
  ),
  common_covariance_50000_groups = c(
    "d <- data.frame(g = rep(1:50000, each = 3), matrix(rnorm(6e5), ncol = 4))",
    paste(
      "fit_hmvn(d, ~g, pooling = c(sd = 'complete', cor = 'complete'), chains = 1,",
      "iter_sampling = 5, keep = character(), seed = 1)"
    )
  ),
  partial_20000_groups = c(
    "d <- data.frame(g = rep(1:20000, each = 3), matrix(rnorm(1.2e5), ncol = 2))",
    paste(
      "fit_hmvn(d, ~g, pooling = 'partial', chains = 1, iter_warmup = 3, iter_sampling = 2,",
      "keep = character(), seed = 1)"
    )
  ),
  wide_40_features = c(
    "d <- data.frame(g = 1, matrix(rnorm(40 * 42), ncol = 40))",
    "fit_hmvn(d, ~g, iter_sampling = 2, iter_warmup = 2, chains = 1, seed = 1)"
  ),
  checkpoint = c(
    "d <- data.frame(g = rep(1:20, each = 10), matrix(rnorm(20 * 10 * 4), ncol = 4))",
    paste(
      "fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 200, iter_sampling = 100, seed = 1,",
      "checkpoint = tempfile(), checkpoint_every = 0.1)"
    )
  ),
  workers = c(
    "d <- data.frame(g = rep(1:20, each = 10), matrix(rnorm(20 * 10 * 4), ncol = 4))",
    paste(
      "fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 200, iter_sampling = 100, seed = 1,",
      "workers = 2)"
    )
  ),
  statistics_10_million_rows = c(
    "d <- data.frame(g = sample(5L, 1e7, TRUE), x = rnorm(1e7), y = rnorm(1e7))",
    "for (i in 1:6) hmvn_statistics(d, ~g, ~ x + y)"
  ),
  fit_10_million_rows = c(
    "d <- data.frame(g = sample(5L, 1e7, TRUE), x = rnorm(1e7), y = rnorm(1e7))",
    "for (i in 1:4) fit_hmvn(d, ~g, ~ x + y, iter_sampling = 100, seed = 1)"
  ),
  statistics_many_patterns = c(
    paste(
      "d <- data.frame(g = sample(500L, 2e5, TRUE),",
      "matrix(ifelse(runif(2e6) < 0.3, NA, 1) * rnorm(2e6), ncol = 10))"
    ),
    "hmvn_statistics(d, ~g)"
  ),
  statistics_character_groups = c(
    "d <- data.frame(g = as.character(sample(1e5L, 1e6, TRUE)), x = rnorm(1e6), y = rnorm(1e6))",
    "hmvn_statistics(d, ~g, ~ x + y)"
  ),
  summary = c(
    paste(
      "d <- data.frame(g = rep(1:400, each = 20), matrix(rnorm(8000 * 4), ncol = 4));",
      "f <- quiet(fit_hmvn(d, ~g, iter_sampling = 500, seed = 1))"
    ),
    "summary(f)"
  ),
  draws = c(
    paste(
      "d <- data.frame(g = rep(1:400, each = 20), matrix(rnorm(8000 * 4), ncol = 4));",
      "f <- quiet(fit_hmvn(d, ~g, iter_sampling = 500, seed = 1))"
    ),
    "{ group_cov(f); as_draws_df(f, variable = c('mu', 'Sigma')) }"
  ),
  impute = c(
    paste(
      "d <- data.frame(g = rep(1:10, each = 1000),",
      "matrix(ifelse(runif(40000) < 0.1, NA, rnorm(40000)), ncol = 4));",
      "f <- quiet(fit_hmvn(d, ~g, chains = 2, iter_warmup = 100, iter_sampling = 200, seed = 1))"
    ),
    "for (i in 1:4) posterior_impute(f, seed = i)"
  ),
  log_lik = c(
    paste(
      "d <- data.frame(g = rep(1:10, each = 1000), matrix(rnorm(40000), ncol = 4));",
      "f <- quiet(fit_hmvn(d, ~g, iter_sampling = 500, seed = 1))"
    ),
    "for (i in 1:3) log_lik(f)"
  ),
  new_group = c(
    paste(
      "d <- data.frame(g = rep(1:10, each = 20), matrix(rnorm(200 * 5), ncol = 5));",
      "f <- quiet(fit_hmvn(d, ~g, pooling = 'partial', iter_warmup = 100, seed = 1))"
    ),
    "for (i in 1:15) posterior_new_group(f, seed = i)"
  ),
  distances = c(
    paste(
      "d <- data.frame(g = rep(1:15, each = 10), matrix(rnorm(150 * 3), ncol = 3));",
      "f <- quiet(fit_hmvn(d, ~g, pooling = 'partial', iter_sampling = 500, seed = 1))"
    ),
    "group_distance(f)"
  ),
  overlap = c(
    paste(
      "d <- data.frame(g = rep(1:8, each = 10), matrix(rnorm(80 * 3), ncol = 3));",
      "f <- quiet(fit_hmvn(d, ~g, pooling = 'partial', iter_sampling = 500, seed = 1))"
    ),
    "group_overlap(f, features = c('X1', 'X2'), ndraws = 200)"
  )
)
chosen <- if (length(arguments) > 1) arguments[-1] else names(kinds)
stopifnot(chosen %in% names(kinds))

new_session <- function(cores) {
  log <- tempfile(fileext = ".log")
  process <- processx::process$new(
    file.path(R.home("bin"), "R"),
    c("--interactive", "--no-readline", "--no-save", "--no-restore", "--quiet"),
    stdin = "|", stdout = log, stderr = "2>&1", cleanup_tree = TRUE
  )
  session <- list(process = process, log = log)
  tell(
    session, paste0(".libPaths(", deparse1(.libPaths()), ")"),
    sprintf("options(mc.cores = %d, cli.progress_show_after = 0)", cores),
    "suppressPackageStartupMessages(library(hmvn))",
    "quiet <- function(code) suppressWarnings(suppressMessages(code))",
    "probe <- function() quiet(fit_hmvn(iris, ~Species, pooling = 'partial',",
    "iter_warmup = 50, iter_sampling = 20, seed = 1))$draws",
    "reference <- probe()", "set.seed(1)"
  )
  session
}

tell <- function(session, ...) {
  left <- charToRaw(paste0(paste(c(...), collapse = "\n"), "\n"))
  while (length(left)) left <- session$process$write_input(left)
}

# What stands between this word and `end` on a line, at most so many seconds later; else NULL, at
# once where the session ends or, if that is a failure, prints an error.
answer <- function(session, word, seconds, fails = FALSE) {
  until <- Sys.time() + seconds
  pattern <- paste0("^(> )*", word, " (.*)end$")
  repeat {
    lines <- readLines(session$log, warn = FALSE)
    found <- grep(pattern, lines, value = TRUE)
    if (length(found)) {
      return(sub(pattern, "\\2", found[1]))
    }
    failed <- fails && any(grepl("^(> )*Error", lines))
    if (Sys.time() > until || failed || !session$process$is_alive()) {
      return(NULL)
    }
    Sys.sleep(0.004)
  }
}

# One try: c(heard, seconds, alive, same), the last two FALSE where there is no answer.
interrupt_once <- function(session, kind, whole, i) {
  tell(session, sprintf(
    "ended <- FALSE; cat('START%d end\\n'); quiet(%s); ended <- TRUE", i, kinds[[kind]][2]
  ))
  if (is.null(answer(session, paste0("START", i), 60))) {
    return(c(0, NA, 0, 0))
  }
  Sys.sleep(runif(1, 0, 0.95 * whole))
  sent <- Sys.time()
  session$process$interrupt()
  tell(session, sprintf("cat('ALIVE%d', ended, 'end\\n')", i))
  ended <- answer(session, paste0("ALIVE", i), 60)
  took <- as.numeric(Sys.time() - sent, units = "secs")
  if (is.null(ended)) {
    return(c(0, NA, 0, 0))
  }
  tell(session, sprintf("cat('SAME%d', identical(reference, probe()), 'end\\n')", i))
  same <- answer(session, paste0("SAME", i), 60)
  c(!grepl("TRUE", ended), took, 1, !is.null(same) && grepl("TRUE", same))
}

prepared <- function(kind, cores) {
  session <- new_session(cores)
  tell(session, kinds[[kind]][1])
  session
}

row_of <- function(kind, cores) {
  session <- prepared(kind, cores)
  on.exit(session$process$kill_tree())
  # twice: the first call also loads what calls need
  for (i in 1:2) {
    tell(session, sprintf(
      "cat('TIME%d', system.time(quiet(%s))[[3]], 'end\\n')", i, kinds[[kind]][2]
    ))
    whole <- as.numeric(answer(session, paste0("TIME", i), 240, fails = TRUE))
    if (length(whole) == 0) {
      stop(kind, " could not be timed:\n", paste(readLines(session$log), collapse = "\n"))
    }
  }
  loads <- found <- NULL
  for (i in seq_len(tries)) {
    one <- interrupt_once(session, kind, whole, i)
    found <- rbind(found, one)
    loads <- c(loads, as.numeric(strsplit(readLines("/proc/loadavg"), " ")[[1]][1]))
    if (one[3] == 0) {
      session$process$kill_tree()
      session <- prepared(kind, cores)
    }
  }
  seconds <- found[!is.na(found[, 2]), 2]
  data.frame(
    kind = kind, cores = cores, seconds = signif(whole, 2), tries = tries, heard = sum(found[, 1]),
    alive = sum(found[, 3]), median = round(stats::median(seconds), 2),
    q95 = round(stats::quantile(seconds, 0.95, names = FALSE), 2),
    largest = round(max(seconds), 2), next_fit_identical = sum(found[, 4]),
    load = round(mean(loads), 1), processors = parallel::detectCores()
  )
}

set.seed(1)
bad <- FALSE
for (kind in chosen) {
  for (cores in 1:2) {
    row <- row_of(kind, cores)
    cat(paste(names(row), vapply(row, format, "")), sep = ", ", fill = 100)
    saved <- if (file.exists(results)) utils::read.csv(results)
    saved <- saved[!(saved$kind == kind & saved$cores == cores), ]
    saved <- rbind(saved, row)
    saved <- saved[order(match(saved$kind, names(kinds)), saved$cores), ]
    utils::write.csv(saved, results, row.names = FALSE)
    bad <- bad || row$alive < tries || row$next_fit_identical < tries || row$q95 > 0.5
  }
}
quit(status = bad)
