# The log density of the package against that of the Stan programs it writes, on the constrained
# scale with means explicit and without Jacobians, at random points. The two may differ by a
# constant (and here do by none).
#
#   Rscript stan_agreement.R [result.csv] [case ...]
#
# Needs rstan; HMVN_STAN_LIB may name the library it is in. The programs are written for rstan
# 2.32; for 2.21 their syntax is made that of its time (older_syntax()). hmvn and rstan run in
# processes of their own, for they may come with different TBB libraries. A program takes a minute
# or two to compile. Rows of the cases that are run are renewed in the result.

n_points <- 200

# Groups of unequal size. `missing`: share of cells; then one group has no row with anything
# observed and in another a feature is never observed.
make_data <- function(K, G, missing = 0, seed = 1, C = 0) {
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
  weights <- runif(length(group), 0.5, 3)
  z <- matrix(rnorm(length(group) * C), length(group), C)
  colnames(z) <- if (C > 0) paste0("z", seq_len(C))
  cbind(data.frame(group = group, y, w = weights), z)
}

# Estimates of studies with their covariance matrices, some without a feature.
known_effects <- function(K = 3, G = 6) {
  set.seed(3)
  y <- matrix(rnorm(G * K), G, dimnames = list(paste0("s", seq_len(G)), paste0("x", seq_len(K))))
  V <- lapply(seq_len(G), function(g) crossprod(matrix(rnorm(K * 5), 5)) / 20)
  y["s2", 1] <- y["s5", 3] <- NA
  V[[2]][1, ] <- V[[2]][, 1] <- V[[5]][3, ] <- V[[5]][, 3] <- NA
  list(mean = y, cov = V, known = TRUE)
}

# A covariance matrix of correlated features.
a_frame <- function(K) {
  S <- 0.8^abs(outer(seq_len(K), seq_len(K), "-")) * tcrossprod(seq_len(K))
  dimnames(S) <- rep(list(paste0("x", seq_len(K))), 2)
  S
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
    ),
    independent_means = list(
      data = make_data(3, 4), pooling = c(mean = "partial"), prior = list(between = "independent")
    ),
    slopes = list(
      data = make_data(3, 4, C = 2), pooling = c(mean = "partial", slope = "partial"),
      covariates = ~ z1 + z2
    ),
    slopes_complete = list(
      data = make_data(2, 4, C = 1), pooling = c(mean = "none", slope = "complete"),
      covariates = ~z1
    ),
    frame = list(
      data = make_data(3, 4), pooling = "none", prior = list(sd = d$dist_gamma(2, 1), frame = TRUE)
    ),
    frame_partial = list(
      data = make_data(3, 4), pooling = "partial", prior = list(mean = normal, frame = TRUE)
    ),
    missing_frame = list(
      data = make_data(3, 4, missing = 0.2),
      pooling = c(mean = "partial", sd = "none", cor = "complete"), prior = list(frame = TRUE)
    ),
    by_feature = list(
      data = make_data(4, 4), prior = list(mean = normal),
      pooling = list(mean = c(x1 = "complete", x3 = "none", "partial"), sd = "complete")
    ),
    by_covariate = list(
      data = make_data(3, 4, C = 2), covariates = ~ z1 + z2,
      pooling = list(
        mean = c(x2 = "none", "complete"), slope = c(z1 = "partial", z2 = "complete"),
        cor = "complete"
      ),
      prior = list(heterogeneity = list(slope = 0.4))
    ),
    known = list(effects = known_effects(), pooling = c(mean = "partial")),
    known_by_feature = list(
      effects = known_effects(), pooling = list(mean = c(x1 = "complete", "partial"))
    )
  )
}

# in a process with hmvn ---------------------------------------------------

# A case as data, program, and points with our log densities. Points are random positions of the
# sampler.
prepare_case <- function(case) {
  h <- asNamespace("hmvn")
  prior <- case$prior
  if (!is.null(prior$cor)) prior$cor <- h$dist_lkj(prior$cor)
  features <- grep("^x", names(case$data), value = TRUE)
  if (!is.null(prior$frame)) prior$frame <- a_frame(length(features))
  statistics <- if (is.null(case$effects)) {
    suppressMessages(h$hmvn_statistics(
      case$data, "group", features, weights = if (!is.null(case$weights)) "w",
      covariates = case$covariates
    ))
  } else {
    do.call(h$hmvn_statistics_from, case$effects)
  }
  fit <- suppressMessages(suppressWarnings(h$fit_hmvn(
    statistics, pooling = case$pooling, prior = do.call(h$hmvn_prior, as.list(prior)), chains = 1,
    iter_warmup = 20, iter_sampling = 4, seed = 1, progress = FALSE
  )))
  model <- h$model_of(fit)
  G <- length(statistics$labels)
  core <- h$as_core(model)
  patterns <- h$core_patterns(statistics)
  dimension <- h$inspect_layout_(G, core)$dimension
  set.seed(2)
  positions <- matrix(rnorm(dimension * n_points), dimension)
  draws <- h$inspect_draws_(patterns, G, core, positions, 3)
  list(
    code = as.character(h$stancode(fit)), data = h$standata(fit),
    points = lapply(draws, stan_parameters, model = model, K = length(model$features)),
    draws = lapply(draws, function(x) population_of(x, model))
  )
}

# What of a draw is compared with what the program computes: population quantities that the model
# has.
population_of <- function(draw, model) {
  shared <- draw[c("log_likelihood", "log_prior")]
  if (model$pooling[["mean"]] == "partial") shared$mean0 <- draw$mean0
  if (!model$known && model$pooling[["sd"]] != "none") shared$scale0 <- draw$scale0
  if (!model$known && model$pooling[["cor"]] != "none") shared$L0 <- unpack(draw$chol_cor0)
  shared
}

unpack <- function(packed) {
  K <- (sqrt(8 * length(packed) + 1) - 1) / 2
  upper <- matrix(0, K, K)
  upper[upper.tri(upper, diag = TRUE)] <- packed
  t(upper)
}

# A draw as the parameters of the Stan program. Scores of the population by R's own distribution
# functions. In a frame sds and correlations are those there.
stan_parameters <- function(draw, model, K) {
  coefficients <- stan_coefficients(draw, model, K)
  if (model$known) {
    return(coefficients)
  }
  prior <- model$prior
  weight <- function(h) sqrt((1 - h) * (1 + h))
  inverse <- if (is.null(prior$frame$root)) diag(K) else solve(prior$frame$root)
  there <- function(factor) t(chol(tcrossprod(inverse %*% factor)))
  factors <- lapply(seq_len(ncol(draw$chol)), function(g) there(unpack(draw$chol[, g])))
  population <- there(draw$scale0 * if (K > 1) unpack(draw$chol_cor0) else matrix(1))
  scale0 <- sqrt(rowSums(population^2))
  sigma <- lapply(factors, function(x) sqrt(rowSums(x^2)))
  L <- Map(`/`, factors, sigma)
  L <- aperm(array(unlist(L), c(K, K, length(L))), c(3, 1, 2))
  own <- list(
    sigma = do.call(rbind, sigma), L = L, sigma0 = array(sigma[[1]], K), L0 = as.matrix(L[1, , ])
  )
  if (prior$frame$kind != "raw") names(own) <- paste0(names(own), "_frame")
  scores <- if (K > 1) cor_scores(population / scale0, prior$cor$eta)
  c(coefficients, own, list(
    u0_sd = array(sd_scores(scale0, prior$sd) / weight(draw$h_sd), K),
    u0_cor = if (K > 1) array(scores / weight(draw$h_cor), K * (K - 1) / 2),
    h_sd = array(draw$h_sd, K), h_cor = draw$h_cor
  ))
}

# Means and slopes, their population scores and heterogeneities; slopes [covariate, feature].
stan_coefficients <- function(draw, model, K) {
  prior <- model$prior
  C <- length(model$covariates)
  slopes <- function(x) matrix(x, C, K, byrow = TRUE)
  score <- function(value, prior, h) {
    (value - prior$location) / (prior$scale * sqrt((1 - h) * (1 + h)))
  }
  block <- function(name, values, value0, prior, h, levels) {
    # [group, ...]; of a mixed block vectors of the common and of a group's own
    level <- unique(c(levels))
    u0 <- score(value0, prior, h)
    G <- length(values)
    out <- if (length(level) > 1) {
      own <- do.call(rbind, lapply(values, function(x) c(x)[levels != "complete"]))
      list(
        complete = array(c(values[[1]])[levels == "complete"]), own = array(own, dim(own)),
        u0 = array(c(u0)[levels == "partial"]), h = array(c(h)[levels == "partial"])
      )
    } else {
      size <- if (is.matrix(values[[1]])) dim(values[[1]]) else K
      stacked <- aperm(array(unlist(values), c(size, G)), c(length(size) + 1, seq_along(size)))
      list(stacked, values[[1]], u0 = array(u0, size), h = array(h, size))
    }
    stats::setNames(out, if (length(level) > 1) {
      c(paste0(name[[1]], c("_complete", "_own")), name[3:4])
    } else {
      name
    })
  }
  mean <- lapply(seq_len(ncol(draw$mean)), function(g) array(draw$mean[, g], K))
  out <- block(
    c("mu", "mu0", "u0_mean", "h_mean"), mean, draw$mean0, prior$mean, draw$h_mean,
    model$coefficients[1, ]
  )
  if (C > 0) {
    slope <- lapply(seq_len(ncol(draw$slope)), function(g) slopes(draw$slope[, g]))
    out <- c(out, block(
      c("beta", "beta0", "u0_slope", "h_slope"), slope, slopes(draw$slope0), prior$slope,
      slopes(draw$h_slope), model$coefficients[-1, , drop = FALSE]
    ))
  }
  if (length(draw$between)) out$L_between <- draw$between
  out
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
  old <- utils::packageVersion("rstan") < "2.26"
  model <- rstan::stan_model(model_code = if (old) older_syntax(case$code) else case$code)
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
      Omega0 = largest(stan$Omega0, if (!is.null(draw$L0)) draw$L0 %*% t(draw$L0))
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
  if (length(a) == 0 || length(b) == 0) 0 else max(abs(map(as.vector(a)) - map(as.vector(b))))
}

# ---------------------------------------------------------------------------

main <- function(arguments) {
  if (length(arguments) > 0 && arguments[1] == "--stan") {
    library <- Sys.getenv("HMVN_STAN_LIB")
    if (nzchar(library)) .libPaths(c(library, .libPaths()))
    prepared <- readRDS(arguments[2])
    for (name in names(prepared)) {
      found <- compare_case(name, prepared[[name]])
      saved <- if (file.exists(arguments[3])) utils::read.csv(arguments[3])
      results <- rbind(saved[!saved$case %in% name, ], found)
      utils::write.csv(results, arguments[3], row.names = FALSE)
    }
    return(invisible())
  }
  output <- if (length(arguments) > 0) arguments[1] else "stan_agreement.csv"
  chosen <- cases()
  if (length(arguments) > 1) chosen <- chosen[arguments[-1]]
  exchange <- tempfile(fileext = ".rds")
  saveRDS(lapply(chosen, prepare_case), exchange)
  status <- system2(
    file.path(R.home("bin"), "Rscript"), shQuote(c(script, "--stan", exchange, output))
  )
  if (status != 0) quit(status = 1)
  print(utils::read.csv(output), digits = 3)
}

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
source(file.path(dirname(script), "older_stan.R"))
main(commandArgs(TRUE))
