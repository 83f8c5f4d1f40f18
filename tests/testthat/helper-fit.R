# A fit made up of random draws in the format of the package's fits: what only reads a fit is tested without sampling. Deterministic, and leaves the
# session's random numbers alone.
fake_fit <- function(G = 2, K = 2, pooling = "none", iter = 100, chains = 4, labels = LETTERS[seq_len(G)], features = paste0("x", seq_len(K)),
                     key = "g", n = 50, seed = 1) {
  with_fixed_seed(seed, {
    blocks <- c("mean", "sd", "cor")
    if (is.null(names(pooling))) pooling <- stats::setNames(rep(pooling, 3), blocks)
    pooling <- c(pooling, c(mean = "none", sd = "none", cor = "none"))[blocks]
    draws <- fake_draws(G, K, pooling, iter, chains)
  })
  sampler <- function(values) matrix(values, iter, chains)
  units <- if (all(pooling == "none")) G else 1L
  per_unit <- function(value) matrix(value, units, chains)
  scale <- stats::setNames(seq_len(K) + 1, features)
  structure(list(
    call = quote(fit_hmvn(d, group = ~g)), data = NULL, statistics = fake_statistics(labels, features, key, n),
    prior = list(mean = list(location = 0 * scale, scale = scale)), pooling = pooling, draws = draws,
    sampler = list(
      accept_stat = sampler(0.9), stepsize = sampler(0.5), treedepth = sampler(3), n_leapfrog = sampler(7), divergent = sampler(0),
      energy = sampler(seq_len(iter * chains))
    ),
    units = list(n = units, algorithm = rep("nuts", units), divergent = per_unit(0L), max_treedepth = per_unit(0L), ebfmi = per_unit(1)),
    control = list(
      algorithm = "nuts", chains = chains, iter_warmup = 1000, iter_sampling = iter, thin = 1, cores = 1, seed = 1,
      adapt_delta = 0.8, adapt_delta_scarce = 0.8,
      max_treedepth = 10, prior_only = FALSE
    ),
    warnings = character(), time = list(warmup = 0.1, sampling = 0.2, total = 0.3)
  ), class = "hmvn_fit")
}

fake_draws <- function(G, K, pooling, iter, chains) {
  M <- K * (K + 1) / 2
  normal <- function(size, center = 0) array(rnorm(iter * chains * size, center), c(iter, chains, size))
  fraction <- function(size) array(rbeta(iter * chains * size, 2, 2), c(iter, chains, size))
  chol <- function(copies) {
    values <- normal(copies * M)
    diagonal <- rep(cumsum(seq_len(K)), copies) + rep((seq_len(copies) - 1) * M, each = K)
    values[, , diagonal] <- exp(0.1 * values[, , diagonal])
    values
  }
  one_chol <- all(pooling[c("sd", if (K > 1) "cor")] == "complete")
  list(
    mean = normal(if (pooling[["mean"]] == "complete") K else G * K), chol = chol(if (one_chol) 1 else G),
    mean0 = if (pooling[["mean"]] != "none") normal(K), scale0 = if (pooling[["sd"]] != "none") abs(normal(K, 3)),
    chol_cor0 = if (pooling[["cor"]] != "none" && K > 1) unit_rows(chol(1), K),
    h_mean = if (pooling[["mean"]] == "partial") fraction(K), h_sd = if (pooling[["sd"]] == "partial") fraction(K),
    h_cor = if (pooling[["cor"]] == "partial" && K > 1) fraction(1), lp = normal(1, -100)
  )
}

fake_statistics <- function(labels, features, key, n) {
  G <- length(labels)
  K <- length(features)
  structure(list(
    labels = labels, keys = stats::setNames(data.frame(labels), key), features = features,
    patterns = list(
      group = seq_len(G), n = rep_len(n, G), observed = matrix(TRUE, K, G), mean = matrix(0, K, G), scatter = array(diag(K), c(K, K, G))
    ),
    n_rows = sum(rep_len(n, G)), n_empty = 0L, n_missing = 0L, weighted = FALSE
  ), class = "hmvn_statistics")
}

with_fixed_seed <- function(seed, code) {
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit(if (is.null(old)) rm(".Random.seed", envir = globalenv()) else assign(".Random.seed", old, globalenv()))
  set.seed(seed)
  force(code)
}

# Packed rows scaled to length 1: factors of correlation matrices
unit_rows <- function(chol, K) {
  for (i in seq_len(K)) {
    row <- i * (i - 1) / 2 + seq_len(i)
    chol[, , row] <- sweep(chol[, , row, drop = FALSE], 1:2, sqrt(apply(chol[, , row, drop = FALSE]^2, 1:2, sum)), `/`)
  }
  chol
}

# The lower Cholesky factor of one draw, written out
factor_of <- function(fit, iteration, chain, group) {
  K <- length(fit$statistics$features)
  M <- K * (K + 1) / 2
  upper <- matrix(0, K, K)
  # packed rows of the lower triangle are the columns of the upper
  upper[upper.tri(upper, diag = TRUE)] <- fit$draws$chol[iteration, chain, (group - 1) * M + seq_len(M)]
  t(upper)
}

# Means and sds of all quantities of two fits of one posterior, in combined Monte Carlo errors
expect_same_posterior <- function(fit, other, label, variables = "^(mu|sigma|Omega|h|lp__)") {
  a <- posterior::as_draws_array(fit)
  b <- posterior::as_draws_array(other)
  names <- grep(variables, posterior::variables(a), value = TRUE)
  z <- unlist(lapply(names, function(name) {
    x <- posterior::extract_variable_matrix(a, name)
    y <- posterior::extract_variable_matrix(b, name)
    if (isTRUE(all.equal(var(as.vector(x)), 0))) return(NULL)
    c((mean(x) - mean(y)) / sqrt(posterior::mcse_mean(x)^2 + posterior::mcse_mean(y)^2),
      (sd(x) - sd(y)) / sqrt(posterior::mcse_sd(x)^2 + posterior::mcse_sd(y)^2))
  }))
  expect_lt(max(abs(z)), z_bound(length(z)), label = paste0(label, ": largest |z|"))
}
