# A fit made up of random draws in the format of the package's fits: what only reads a fit is tested
# without sampling. Deterministic, and leaves the session's random numbers alone.
fake_fit <- function(G = 2, K = 2, pooling = "none", iter = 100, chains = 4,
                     labels = LETTERS[seq_len(G)], features = paste0("x", seq_len(K)), key = "g",
                     n = 50) {
  prior <- hmvn_prior(
    mean = distributional::dist_normal(0, seq_len(K) + 1), sd = distributional::dist_exponential(1)
  )
  statistics <- fake_statistics(labels, features, key, n)
  fake_fit_of(statistics, prior, pooling, list(iter_sampling = iter, chains = chains))
}

# `given`: settings.
fake_fit_of <- function(statistics, prior, pooling, given) {
  model <- specify_model(statistics, prior, pooling, NULL)
  given <- c(given, list(seed = 1, algorithm = "nuts", adapt_delta = 0.8))
  settings <- settle_settings(fill_settings(given, formals(fit_hmvn)))
  sampled <- fake_sample(length(statistics$labels), model, settings$iter_sampling, settings$chains)
  record <- list(
    call = quote(fit_hmvn(d, group = ~g)), started = 0, not_estimable = character(),
    specification = list(weights = NULL, pooling = model$pooling, settings = given)
  )
  run <- new_hmvn_run(statistics, model, sampled, settings)
  fit <- new_hmvn_fit(run, NULL, record, character())
  fit$time$total <- 0.3
  fit
}

# What sample_chains() would return.
fake_sample <- function(G, model, iter, chains) {
  pooling <- model$pooling
  sampler <- function(values) matrix(as.double(values), iter, chains)
  units <- if (all(pooling == "none")) as.integer(G) else 1L
  per_unit <- function(value) matrix(value, units, chains)
  list(
    draws = with_fixed_seed(1, fake_draws(G, model, iter, chains)),
    sampler = list(
      accept_stat = sampler(0.9), stepsize = sampler(0.5), treedepth = sampler(3),
      n_leapfrog = sampler(7), divergent = sampler(0), energy = sampler(seq_len(iter * chains))
    ),
    units = list(
      n = units, algorithm = rep("nuts", units), iter_warmup = per_unit(1000L),
      divergent = per_unit(0L), max_treedepth = per_unit(0L), ebfmi = per_unit(1)
    ),
    states = new_states(rep(list(raw()), nrow(job_ranges_(units, chains)))),
    seconds = matrix(c(0.1, 0.2), chains, 2, TRUE, list(NULL, c("warmup", "sampling")))
  )
}

fake_draws <- function(G, model, iter, chains) {
  K <- length(model$features)
  C <- length(model$covariates)
  pooling <- model$pooling
  means <- model$coefficients["mean", ]
  n_between <- length(between_features(model))
  normal <- function(size, center = 0) {
    array(rnorm(iter * chains * size, center), c(iter, chains, size))
  }
  fraction <- function(size) array(rbeta(iter * chains * size, 2, 2), c(iter, chains, size))
  chol <- function(copies, size = K) {
    M <- size * (size + 1) / 2
    values <- normal(copies * M)
    diagonal <- rep(cumsum(seq_len(size)), copies) + rep((seq_len(copies) - 1) * M, each = K)
    values[, , diagonal] <- exp(0.1 * values[, , diagonal])
    values
  }
  one_chol <- all(pooling[c("sd", if (K > 1) "cor")] == "complete")
  has <- c(sd = pooling[["sd"]] != "none", cor = pooling[["cor"]] != "none" && K > 1)
  if (model$prior$frame$kind != "raw" && K > 1) has[] <- any(has)
  list(
    mean = normal(if (pooling[["mean"]] == "complete") K else G * K),
    chol = if (!model$known) chol(if (one_chol) 1 else G),
    slope = if (C > 0) normal(K * C * if (pooling[["slope"]] == "complete") 1 else G),
    mean0 = if (any(means != "none")) normal(K),
    slope0 = if (C > 0 && pooling[["slope"]] != "none") normal(K * C),
    scale0 = if (has[["sd"]]) abs(normal(K, 3)),
    chol_cor0 = if (has[["cor"]]) unit_rows(chol(1), K),
    chol_between = if (n_between > 0) unit_rows(chol(1, n_between), n_between),
    h_mean = if (any(means == "partial")) fraction(K),
    h_slope = if (C > 0 && pooling[["slope"]] == "partial") fraction(K * C),
    h_sd = if (pooling[["sd"]] == "partial") fraction(K),
    h_cor = if (pooling[["cor"]] == "partial" && K > 1) fraction(1),
    lp = normal(1, -100),
    lprior = normal(1, -50)
  )
}

fake_statistics <- function(labels, features, key, n) {
  G <- length(labels)
  K <- length(features)
  new_statistics(
    list(labels = labels, keys = stats::setNames(data.frame(labels), key)), features,
    patterns = list(
      group = seq_len(G), n = rep_len(n, G), observed = matrix(TRUE, K, G),
      mean = matrix(0, K, G), scatter = array(diag(K), c(K, K, G))
    ),
    counts = list(n_rows = sum(rep_len(n, G)), n_empty = 0L, n_missing = 0L), weighted = FALSE
  )
}

with_fixed_seed <- function(seed, code) with_seed(seed, code)

# Packed rows scaled to length 1: factors of correlation matrices
unit_rows <- function(chol, K) {
  for (i in seq_len(K)) {
    row <- i * (i - 1) / 2 + seq_len(i)
    length <- sqrt(apply(chol[, , row, drop = FALSE]^2, 1:2, sum))
    chol[, , row] <- sweep(chol[, , row, drop = FALSE], 1:2, length, `/`)
  }
  chol
}

# A lower Cholesky factor, packed row by row, written out: packed rows of the lower triangle are the
# columns of the upper.
unpack_factor <- function(packed) {
  K <- (sqrt(8 * length(packed) + 1) - 1) / 2
  upper <- matrix(0, K, K)
  upper[upper.tri(upper, diag = TRUE)] <- packed
  t(upper)
}

# The lower Cholesky factor of one draw
factor_of <- function(fit, iteration, chain, group) {
  K <- length(fit$statistics$features)
  M <- K * (K + 1) / 2
  unpack_factor(fit$draws$chol[iteration, chain, (group - 1) * M + seq_len(M)])
}

# The fit without some of its draws, as if they had not been kept
without <- function(fit, ...) {
  for (part in c(...)) fit$draws[part] <- list(NULL)
  fit
}

# fit_hmvn() with few iterations and in silence. Any setting can be given.
short_fit <- function(..., chains = 2, iter_warmup = 100, iter_sampling = 50, seed = 1) {
  suppressWarnings(suppressMessages(fit_hmvn(
    ...,
    chains = chains, iter_warmup = iter_warmup, iter_sampling = iter_sampling, seed = seed
  )))
}

# z of the difference between two fits in the posterior mean and sd of every element of quantities,
# in combined Monte Carlo errors; constants, such as the diagonal of Omega, left out.
difference_z <- function(one, other, variables) {
  estimates <- function(fit) {
    draws <- posterior::as_draws_array(fit, variable = variables, regex = TRUE)
    as.data.frame(suppressWarnings(posterior::summarise_draws(
      draws, "mean", "sd",
      mcse_mean = posterior::mcse_mean, mcse_sd = posterior::mcse_sd
    )))
  }
  a <- estimates(one)
  b <- estimates(other)
  stopifnot(identical(a$variable, b$variable))
  z <- c(
    (a$mean - b$mean) / sqrt(a$mcse_mean^2 + b$mcse_mean^2),
    (a$sd - b$sd) / sqrt(a$mcse_sd^2 + b$mcse_sd^2)
  )
  names(z) <- c(a$variable, paste("sd of", a$variable))
  z[rep(pmax(a$sd, b$sd) > 1e-12, 2)]
}

expect_same_posterior <- function(one, other, label = "fits",
                                  variables = "^(mu|sigma|Omega|h|lp__)") {
  z <- difference_z(one, other, variables)
  worst <- names(which.max(abs(z)))
  expect_lt(max(abs(z)), z_bound(length(z)), label = paste0(label, ": largest |z| (", worst, ")"))
}

# A fit of one draw: group A and B with given means and covariance matrices.
known_fit <- function(mu, Sigma, pooling = "none") {
  K <- length(mu[[1]])
  fit <- fake_fit(G = length(mu), K = K, iter = 1, chains = 1, pooling = pooling)
  packed <- function(S) {
    upper <- chol(S)
    upper[upper.tri(upper, diag = TRUE)]
  }
  fit$draws$mean[1, 1, ] <- unlist(mu)
  fit$draws$chol[1, 1, ] <- unlist(lapply(Sigma, packed))
  fit
}

one <- function(x) as.vector(posterior::draws_of(x))

# Two fits are one and the same: in all that draws and chains decide, not in times and calls.
# (States have times too.)
expect_same_outcome <- function(one, other) {
  outcome <- function(fit) {
    control <- setdiff(names(fit$control), c("cores", "workers", "progress"))
    c(unclass(fit)[c("draws", "sampler", "units", "warnings")], fit$control[control])
  }
  expect_identical(outcome(one), outcome(other))
}
