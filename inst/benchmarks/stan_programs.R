# The Stan programs: compiled, and given their data.

# Evaluates `expr` with rstan from the library that HMVN_STAN_LIB names
with_stan <- function(expr) {
  library <- Sys.getenv("HMVN_STAN_LIB")
  if (nzchar(library)) .libPaths(c(library, .libPaths()))
  suppressPackageStartupMessages(loadNamespace("rstan"))
  expr
}

# The compiled program and the seconds it took, from the cache where that has it. Processes of one
# run share a cache.
stan_program <- function(name) {
  source <- beside_script("stan", paste0(name, ".stan"))
  folder <- Sys.getenv("HMVN_STAN_CACHE", tempdir())
  key <- c(name, substr(tools::md5sum(source), 1, 8), as.character(utils::packageVersion("rstan")))
  file <- file.path(folder, paste0(paste(key, collapse = "-"), ".rds"))
  if (file.exists(file)) {
    return(readRDS(file))
  }
  cat("Compiling ", name, ".stan\n", sep = "")
  time <- system.time({
    model <- rstan::stan_model(source, model_name = name, auto_write = FALSE)
  })
  seconds <- time[["elapsed"]]
  program <- list(model = model, seconds = seconds)
  saveRDS(program, file)
  program
}

compared_quantities <- c("mu", "sigma", "Omega")

# A stanfit's draws of these as draws_of_fit() has them: [iteration, chain, quantity], correlations
# of the lower triangle. Of the features as they are, where `root` is that of a frame.
draws_of_stan <- function(fit, root = NULL) {
  draws <- as.array(fit, pars = compared_quantities)
  names <- dimnames(draws)$parameters
  if (!is.null(root)) draws <- out_of_frame(draws, names, root)
  place <- regmatches(names, regexec("^Omega\\[\\d+,(\\d+),(\\d+)\\]$", names))
  lower <- vapply(place, function(x) length(x) == 0 || as.integer(x[2]) > as.integer(x[3]), NA)
  unname(draws[, , lower, drop = FALSE])
}

# Standard deviations and correlations of Sigma = C S C' from those of S
out_of_frame <- function(draws, names, root) {
  K <- nrow(root)
  for (g in seq_len(sum(startsWith(names, "mu[")) / K)) {
    sd_at <- match(sprintf("sigma[%d,%d]", seq_len(K), g), names)
    cor_at <- match(sprintf("Omega[%d,%d,%d]", g, row(root), col(root)), names)
    for (chain in seq_len(dim(draws)[2])) {
      sd <- draws[, chain, sd_at]
      both <- sd[, row(root)] * sd[, col(root)]
      covariance <- (draws[, chain, cor_at] * both) %*% t(root %x% root)
      sd <- sqrt(covariance[, diag(K) == 1])
      draws[, chain, sd_at] <- sd
      draws[, chain, cor_at] <- covariance / (sd[, row(root)] * sd[, col(root)])
    }
  }
  draws
}

# Data of the Stan programs: rows for the direct one, else sufficient statistics. In a frame with
# root C (`problem$root`) scatter is that of C^-1 y, and all else as it is.
stan_data <- function(problem, program) {
  group <- factor(problem$data$group, unique(problem$data$group))
  y <- as.matrix(problem$data[problem$features])
  K <- ncol(y)
  G <- nlevels(group)
  n <- as.vector(table(group))
  prior <- with(problem$prior, list(
    mean_location = rep_len(mean_location, K), mean_scale = rep_len(mean_scale, K),
    sd_rate = rep_len(sd_rate, K), eta = eta
  ))
  if (program == "unpooled_direct") {
    last <- cumsum(n)
    rows <- list(
      N = nrow(y), y = y[order(group), ], first = array(last - n + 1), last = array(last)
    )
    return(c(list(K = K, G = G), rows, prior))
  }
  ybar <- rowsum(y, group) / n
  framed <- !is.null(problem$root)
  root <- if (framed) unname(problem$root) else diag(K)
  centred <- (y - ybar[group, ]) %*% t(solve(root))
  S <- array(0, c(G, K, K))
  for (g in seq_len(G)) S[g, , ] <- crossprod(centred[group == levels(group)[g], , drop = FALSE])
  frame <- list(framed = as.integer(framed), frame = root)
  data <- c(list(K = K, G = G, n = n, ybar = t(ybar), S = S), frame, prior)
  if (program == "partial_expert") c(data, list(h_prior = c(1, 1)), choose_centring(n, S)) else data
}

# Scores of a quantity are sampled as such unless the groups might be equal in it, judged by their
# estimates' variance against their standard errors; then not centred. With few groups that takes
# more. (The best of the rules tried.)
choose_centring <- function(n, S) {
  K <- dim(S)[2]
  some <- n > K + 1
  limit <- 1 + sqrt(3 / sum(some))
  log_sd <- vapply(
    seq_len(K), function(k) 0.5 * log(S[some, k, k] / (n[some] - 1)), double(sum(some))
  )
  error_sd <- mean(0.5 / (n[some] - 1))
  partial <- t(apply(S[some, , , drop = FALSE], 1, function(x) atanh(partial_correlations(x))))
  error_cor <- mean(1 / (n[some] - 1))
  list(
    centred_sd = array(as.integer(apply(log_sd, 2, stats::var) > limit * error_sd)),
    centred_cor = array(
      rep(as.integer(mean(apply(partial, 2, stats::var)) > limit * error_cor), K * (K - 1) / 2)
    )
  )
}

# Canonical partial correlations, row by row, from a scatter matrix or from the Cholesky factor of a
# correlation matrix
partial_correlations <- function(S) partials_of_factor(t(chol(stats::cov2cor(S))))

partials_of_factor <- function(L) {
  unlist(lapply(seq_len(nrow(L))[-1], function(i) {
    vapply(seq_len(i - 1), function(j) L[i, j] / sqrt(sum(L[i, j:i]^2)), double(1))
  }))
}
