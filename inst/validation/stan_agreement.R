# The log density of the package against that of the Stan programs it writes, on the constrained
# scale with means explicit and without Jacobians, at random points. The two may differ by a
# constant (and here do by none).
#
#   Rscript stan_agreement.R [result.csv] [case ...]
#
# Needs rstan 2.32 or later; HMVN_STAN_LIB may name the library it is in. hmvn and rstan run in
# processes of their own, for they may come with different TBB libraries. A program takes a minute
# or two to compile.

n_points <- 200

# Groups of unequal size. `missing`: share of cells; then one group has no row with anything
# observed and in another a feature is never observed.
make_data <- function(K, G, missing = 0, seed = 1) {
  set.seed(seed)
  size <- rep_len(c(6, 9, 14, 20), G)
  group <- rep(paste0("g", seq_len(G)), size)
  root <- matrix(rnorm(K * K), K) + diag(K)
  noise <- matrix(rnorm(length(group) * K), ncol = K) %*% root
  y <- noise + matrix(rnorm(G * K), G)[rep(seq_len(G), size), ]
  colnames(y) <- paste0("x", seq_len(K))
  if (missing > 0) {
    y[runif(length(y)) < missing] <- NA
    y[group == "g2", ] <- NA
    y[group == "g3", 1] <- NA
  }
  data.frame(group = group, y, w = runif(length(group), 0.5, 3))
}

cases <- function() {
  d <- asNamespace("distributional")
  half <- function(x) d$dist_truncated(x, 0, Inf)
  five <- c(
    d$dist_gamma(1.7, 0.9), half(d$dist_normal(0.8, 1.1)), half(d$dist_student_t(4, 0.5, 1.3)),
    d$dist_lognormal(0.1, 0.8),
    d$dist_exponential(0.7)
  )
  normal <- d$dist_normal(0.3, 2)
  list(
    none = list(data = make_data(3, 4), pooling = "none"),
    complete = list(
      data = make_data(3, 4), pooling = "complete", prior = list(mean = normal, cor = 0.7)
    ),
    complete_covariance = list(
      data = make_data(4, 3), pooling = c(mean = "none", sd = "complete", cor = "complete"),
      prior = list(mean = normal, sd = d$dist_gamma(2, 1), cor = 3)
    ),
    partial = list(
      data = make_data(3, 4), pooling = "partial",
      prior = list(
        mean = normal, sd = d$dist_exponential(1), cor = 1.5, heterogeneity = d$dist_beta(2, 3)
      )
    ),
    partial_cor = list(
      data = make_data(4, 3), pooling = c(cor = "partial"),
      prior = list(sd = d$dist_lognormal(0, 1), cor = 0.8)
    ),
    missing_mixed_partial = list(
      data = make_data(5, 4, missing = 0.15), pooling = "partial",
      prior = list(
        mean = normal, sd = five, cor = 2,
        heterogeneity = list(mean = d$dist_beta(1, 1), sd = d$dist_beta(3, 2), cor = 0.4)
      )
    ),
    missing_partial_mean = list(
      data = make_data(3, 4, missing = 0.2),
      pooling = c(mean = "partial", sd = "complete", cor = "none"),
      prior = list(
        mean = normal, sd = c(d$dist_normal(0, 1), d$dist_student_t(3, 0, 2), d$dist_cauchy(0, 1)),
        cor = 1
      )
    ),
    weighted_one_feature = list(
      data = make_data(1, 5), pooling = c(mean = "partial", sd = "partial"), weights = ~w,
      prior = list(mean = normal, sd = d$dist_student_t(3, 0, 1), heterogeneity = list(mean = 0.3))
    )
  )
}

# in a process with hmvn ---------------------------------------------------

# A case as data, program, and points with our log densities. No sampling: points are random
# positions of the sampler.
prepare_case <- function(case) {
  h <- asNamespace("hmvn")
  prior <- case$prior
  if (!is.null(prior$cor)) prior$cor <- h$dist_lkj(prior$cor)
  features <- setdiff(names(case$data), c("group", "w"))
  statistics <- suppressMessages(
    h$hmvn_statistics(case$data, "group", features, weights = if (!is.null(case$weights)) "w")
  )
  model <- h$specify_model(statistics, do.call(h$hmvn_prior, as.list(prior)), case$pooling, NULL)
  fit <- structure(
    list(
      statistics = statistics, prior = model$prior, pooling = model$pooling,
      control = list(prior_only = FALSE)
    ),
    class = "hmvn_fit"
  )
  G <- length(statistics$labels)
  core <- h$as_core(model)
  dimension <- h$inspect_layout_(G, core)$dimension
  set.seed(2)
  positions <- matrix(rnorm(dimension * n_points), dimension)
  draws <- h$inspect_draws_(statistics$patterns, G, core, positions, 3)
  list(
    code = as.character(h$stancode(fit)), data = h$standata(fit),
    points = lapply(draws, stan_parameters, model = model, K = length(features)),
    draws = lapply(draws, function(x) {
      shared <- c("mean0", "scale0", "log_likelihood", "log_prior")
      c(x[shared], list(L0 = unpack(x$chol_cor0)))
    })
  )
}

unpack <- function(packed) {
  K <- (sqrt(8 * length(packed) + 1) - 1) / 2
  upper <- matrix(0, K, K)
  upper[upper.tri(upper, diag = TRUE)] <- packed
  t(upper)
}

# A draw as the parameters of the Stan program. Scores of the population by R's own distribution
# functions.
stan_parameters <- function(draw, model, K) {
  pooling <- model$pooling
  prior <- model$prior
  weight <- function(h) sqrt((1 - h) * (1 + h))
  factors <- lapply(seq_len(ncol(draw$chol)), function(g) unpack(draw$chol[, g]))
  sigma <- lapply(factors, function(x) sqrt(rowSums(x^2)))
  stack <- function(x) do.call(rbind, x)
  L <- Map(`/`, factors, sigma)
  L <- aperm(array(unlist(L), c(K, K, length(L))), c(3, 1, 2))
  list(
    mu = t(draw$mean), sigma = stack(sigma), L = L, mu0 = array(draw$mean[, 1], K),
    sigma0 = array(sigma[[1]], K), L0 = as.matrix(L[1, , ]),
    u0_mean = array(
      (draw$mean0 - prior$mean$location) / (prior$mean$scale * weight(draw$h_mean)), K
    ),
    u0_sd = array(sd_scores(draw$scale0, prior$sd) / weight(draw$h_sd), K),
    u0_cor = if (K > 1) {
      scores <- cor_scores(unpack(draw$chol_cor0), prior$cor$eta)
      array(scores / weight(draw$h_cor), K * (K - 1) / 2)
    },
    h_mean = array(draw$h_mean, K), h_sd = array(draw$h_sd, K), h_cor = draw$h_cor
  )
}

score_from_tails <- function(lower, upper) {
  ifelse(lower < upper, qnorm(lower, log.p = TRUE), qnorm(upper, lower.tail = FALSE, log.p = TRUE))
}

sd_scores <- function(sigma, prior) {
  vapply(seq_along(sigma), function(k) {
    p <- prior$parameters[k, ]
    cdf <- switch(prior$family[k],
      exponential = function(x, lower) pexp(x, p[1], lower, log.p = TRUE),
      gamma = function(x, lower) pgamma(x, p[1], p[2], lower.tail = lower, log.p = TRUE),
      lognormal = function(x, lower) plnorm(x, p[1], p[2], lower, log.p = TRUE),
      normal = truncated_cdf(function(x) pnorm(x, p[1], p[2], lower.tail = FALSE, log.p = TRUE)),
      student_t = truncated_cdf(
        function(x) pt((x - p[2]) / p[3], p[1], lower.tail = FALSE, log.p = TRUE)
      )
    )
    score_from_tails(cdf(sigma[k], TRUE), cdf(sigma[k], FALSE))
  }, 1)
}

truncated_cdf <- function(log_tail) {
  function(x, lower) {
    upper <- log_tail(x) - log_tail(0)
    if (lower) log(-expm1(upper)) else upper
  }
}

cor_scores <- function(L, eta) {
  K <- nrow(L)
  unlist(lapply(seq_len(K)[-1], function(i) {
    vapply(seq_len(i - 1), function(j) {
      b <- eta + (K - 1 - j) / 2
      c <- L[i, j] / sqrt(sum(L[i, j:i]^2))
      score_from_tails(
        pbeta((1 + c) / 2, b, b, log.p = TRUE), pbeta((1 - c) / 2, b, b, log.p = TRUE)
      )
    }, 1)
  }))
}

# in a process with rstan --------------------------------------------------

compare_case <- function(name, case) {
  model <- rstan::stan_model(model_code = case$code)
  fit <- suppressMessages(rstan::sampling(model, data = case$data, chains = 0))
  wanted <- setdiff(fit@model_pars, "lp__")
  found <- Map(function(point, draw) {
    position <- rstan::unconstrain_pars(fit, point[names(point) %in% wanted])
    stan <- rstan::constrain_pars(fit, position)
    ours <- draw$log_likelihood + draw$log_prior
    c(
      ours = ours, difference = rstan::log_prob(fit, position, adjust_transform = FALSE) - ours,
      log_joint = stan$log_joint - ours, lprior = stan$lprior - draw$log_prior,
      mu0 = largest(stan$mu0, draw$mean0), sigma0 = largest(stan$sigma0, draw$scale0, log),
      Omega0 = largest(stan$Omega0, draw$L0 %*% t(draw$L0))
    )
  }, case$points, case$draws)
  found <- do.call(rbind, found)
  constant <- median(found[, "difference"])
  scale <- pmax(1, abs(found[, "ours"]))
  data.frame(
    case = name, points = nrow(found), dimension = rstan::get_num_upars(fit),
    sd_ours = sd(found[, "ours"]), constant = constant,
    max_difference = max(abs(found[, "difference"] - constant)),
    max_relative = max(abs(found[, "difference"] - constant) / scale),
    max_log_joint = max(abs(found[, "log_joint"]) / scale),
    max_lprior = max(abs(found[, "lprior"]) / scale),
    max_mu0 = max(found[, "mu0"]), max_log_sigma0 = max(found[, "sigma0"]),
    max_Omega0 = max(found[, "Omega0"])
  )
}

# 0 where the model has no such quantity
largest <- function(a, b, map = identity) {
  if (length(a) == 0) 0 else max(abs(map(as.vector(a)) - map(as.vector(b))))
}

# ---------------------------------------------------------------------------

main <- function(arguments) {
  if (length(arguments) > 0 && arguments[1] == "--stan") {
    library <- Sys.getenv("HMVN_STAN_LIB")
    if (nzchar(library)) .libPaths(c(library, .libPaths()))
    prepared <- readRDS(arguments[2])
    results <- do.call(rbind, Map(compare_case, names(prepared), prepared))
    utils::write.csv(results, arguments[3], row.names = FALSE)
    return(invisible())
  }
  output <- if (length(arguments) > 0) arguments[1] else "stan_agreement.csv"
  chosen <- cases()
  if (length(arguments) > 1) chosen <- chosen[arguments[-1]]
  exchange <- tempfile(fileext = ".rds")
  saveRDS(lapply(chosen, prepare_case), exchange)
  script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
  status <- system2(
    file.path(R.home("bin"), "Rscript"), shQuote(c(script, "--stan", exchange, output))
  )
  if (status != 0) quit(status = 1)
  print(utils::read.csv(output), digits = 3)
}

main(commandArgs(TRUE))
