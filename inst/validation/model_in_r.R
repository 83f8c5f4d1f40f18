# The model once more, in plain R, written from the formulas alone and sharing no code with the
# package: prior draws, data, and the log joint density lp__. Slow and simple; validation and tests
# compare the package with it. Equation numbers are those of vignette("model").

# A model: pooling c(mean, sd, cor); location, scale (P1); family and parameters by feature (P2);
# eta (P3); heterogeneity: list by block of c(fixed, shape1, shape2); between_eta: of R_b (B1), NULL
# for R_b = I; C covariates, whose slopes have location and scale slope_location, slope_scale [C, K]
# (P4). levels: list(mean, slope), the pooling of every mean and slope [C, K] where these differ by
# feature or covariate. known: there are no sds and correlations (K1).
r_model <- function(K, pooling, location = rep(0, K), scale = rep(1, K),
                    family = rep("exponential", K), parameters = cbind(rep(1, K), NA, NA), eta = 2,
                    heterogeneity = list(mean = c(NA, 1, 1), sd = c(NA, 1, 1), cor = c(NA, 1, 1),
                                         slope = c(NA, 1, 1)),
                    between_eta = NULL, C = 0, slope_location = matrix(0, C, K),
                    slope_scale = matrix(1, C, K), levels = list(), known = FALSE) {
  if (is.null(levels$mean)) levels$mean <- rep(pooling[["mean"]], K)
  if (is.null(levels$slope)) levels$slope <- matrix(if (C > 0) pooling[["slope"]] else "", C, K)
  list(K = K, pooling = pooling, location = location, scale = scale, family = family,
       parameters = parameters, eta = eta, heterogeneity = heterogeneity,
       between_eta = if (sum(levels$mean == "partial") > 1) between_eta,
       C = C, slope_location = slope_location, slope_scale = slope_scale, levels = levels,
       known = known)
}

r_families <- list(
  exponential = list(
    d = function(x, p) dexp(x, p[1], log = TRUE),
    p = function(x, p, lower) pexp(x, p[1], lower.tail = lower, log.p = TRUE),
    q = function(l, p, lower) qexp(l, p[1], lower.tail = lower, log.p = TRUE)
  ),
  lognormal = list(
    d = function(x, p) dlnorm(x, p[1], p[2], log = TRUE),
    p = function(x, p, lower) plnorm(x, p[1], p[2], lower.tail = lower, log.p = TRUE),
    q = function(l, p, lower) qlnorm(l, p[1], p[2], lower.tail = lower, log.p = TRUE)
  ),
  gamma = list(
    d = function(x, p) dgamma(x, p[1], p[2], log = TRUE),
    p = function(x, p, lower) pgamma(x, p[1], p[2], lower.tail = lower, log.p = TRUE),
    q = function(l, p, lower) qgamma(l, p[1], p[2], lower.tail = lower, log.p = TRUE)
  ),
  # truncated to (0, Inf): upper tails divided by the mass above 0
  normal = list(
    d = function(x, p) {
      dnorm(x, p[1], p[2], log = TRUE) - pnorm(0, p[1], p[2], lower.tail = FALSE, log.p = TRUE)
    },
    p = function(x, p, lower) {
      up <- pnorm(x, p[1], p[2], lower.tail = FALSE, log.p = TRUE) -
        pnorm(0, p[1], p[2], lower.tail = FALSE, log.p = TRUE)
      if (lower) log(-expm1(up)) else up
    },
    q = function(l, p, lower) {
      up <- if (lower) log(-expm1(l)) else l
      above_0 <- pnorm(0, p[1], p[2], lower.tail = FALSE, log.p = TRUE)
      qnorm(up + above_0, p[1], p[2], lower.tail = FALSE, log.p = TRUE)
    }
  ),
  student_t = list(
    d = function(x, p) {
      above_0 <- pt(-p[2] / p[3], p[1], lower.tail = FALSE, log.p = TRUE)
      dt((x - p[2]) / p[3], p[1], log = TRUE) - log(p[3]) - above_0
    },
    p = function(x, p, lower) {
      up <- pt((x - p[2]) / p[3], p[1], lower.tail = FALSE, log.p = TRUE) -
        pt(-p[2] / p[3], p[1], lower.tail = FALSE, log.p = TRUE)
      if (lower) log(-expm1(up)) else up
    },
    q = function(l, p, lower) {
      up <- if (lower) log(-expm1(l)) else l
      p[2] + p[3] * qt(up + pt(-p[2] / p[3], p[1], lower.tail = FALSE, log.p = TRUE), p[1],
                       lower.tail = FALSE, log.p = TRUE)
    }
  )
)

# Scores (S2), (S3), both ways, from whichever tail is smaller.
r_from_score <- function(u, quantile) {
  if (u < 0) quantile(pnorm(u, log.p = TRUE), TRUE) else quantile(pnorm(-u, log.p = TRUE), FALSE)
}
r_to_score <- function(x, cdf) {
  lower <- cdf(x, TRUE)
  if (lower < log(0.5)) qnorm(lower, log.p = TRUE) else -qnorm(cdf(x, FALSE), log.p = TRUE)
}

r_shape <- function(model, j) model$eta + (model$K - 1 - j) / 2

r_sigma_from_score <- function(model, k, u) {
  family <- r_families[[model$family[k]]]
  r_from_score(u, function(l, lower) family$q(l, model$parameters[k, ], lower))
}
r_score_of_sigma <- function(model, k, sigma) {
  family <- r_families[[model$family[k]]]
  r_to_score(sigma, function(x, lower) family$p(x, model$parameters[k, ], lower))
}
r_partial_from_score <- function(model, j, u) {
  b <- r_shape(model, j)
  tail <- r_from_score(-abs(u), function(l, lower) qbeta(l, b, b, lower.tail = lower, log.p = TRUE))
  if (u < 0) 2 * tail - 1 else 1 - 2 * tail
}
r_score_of_partial <- function(model, j, c) {
  b <- r_shape(model, j)
  -sign(c) * qnorm(pbeta((1 - abs(c)) / 2, b, b, log.p = TRUE), log.p = TRUE)
}

# Row i of the Cholesky factor of a correlation matrix from its partial correlations c (lower
# triangle), and back.
r_factor <- function(partial) {
  K <- nrow(partial)
  L <- diag(K)
  for (i in seq_len(K)[-1]) {
    rest <- 1
    for (j in seq_len(i - 1)) {
      L[i, j] <- partial[i, j] * sqrt(rest)
      rest <- rest * (1 - partial[i, j]^2)
    }
    L[i, i] <- sqrt(rest)
  }
  L
}
r_partials <- function(L) {
  K <- nrow(L)
  partial <- matrix(0, K, K)
  for (i in seq_len(K)[-1]) {
    for (j in seq_len(i - 1)) partial[i, j] <- L[i, j] / sqrt(1 - sum(L[i, seq_len(j - 1)]^2))
  }
  partial
}

# A draw of everything from the prior (P1)-(P3), (S1)-(S4), for G groups.
r_prior_draw <- function(model, G) {
  K <- model$K
  h_of <- function(block, levels) {
    h <- c(none = 1, complete = 0, partial = NA)[levels]
    prior <- model$heterogeneity[[block]]
    n <- sum(is.na(h))
    h[is.na(h)] <- if (is.na(prior[[1]])) rbeta(n, prior[[2]], prior[[3]]) else prior[[1]]
    unname(h)
  }
  own <- function(block, n) rep(model$pooling[[block]], n)
  h <- list(
    mean = h_of("mean", model$levels$mean), sd = h_of("sd", own("sd", K)),
    cor = h_of("cor", own("cor", 1))
  )
  C <- model$C
  h$slope <- if (C > 0) matrix(h_of("slope", c(model$levels$slope)), C, K)
  v_slope <- if (C > 0) sqrt(1 - h$slope^2) * rnorm(C * K)
  v_mean <- sqrt(1 - h$mean^2) * rnorm(K)
  v_sd <- sqrt(1 - h$sd^2) * rnorm(K)
  low <- lower.tri(diag(K))
  v_cor <- matrix(0, K, K)
  v_cor[low] <- sqrt(1 - h$cor^2) * rnorm(sum(low))
  at_scores <- function(u_mean, u_sd, u_cor, u_slope) {
    partial <- matrix(0, K, K)
    for (i in seq_len(K)) {
      for (j in seq_len(i - 1)) partial[i, j] <- r_partial_from_score(model, j, u_cor[i, j])
    }
    list(
      mu = model$location + model$scale * u_mean,
      sigma = vapply(seq_len(K), function(k) r_sigma_from_score(model, k, u_sd[k]), double(1)),
      L = r_factor(partial),
      beta = if (C > 0) model$slope_location + model$slope_scale * u_slope
    )
  }
  together <- which(model$levels$mean == "partial")
  size <- length(together)
  L_between <- diag(size)
  if (!is.null(model$between_eta)) {
    partial <- matrix(0, size, size)
    for (i in seq_len(size)[-1]) {
      for (j in seq_len(i - 1)) {
        b <- model$between_eta + (size - 1 - j) / 2
        partial[i, j] <- 2 * rbeta(1, b, b) - 1
      }
    }
    L_between <- r_factor(partial)
  }
  groups <- lapply(seq_len(G), function(g) {
    u_cor <- v_cor
    u_cor[low] <- v_cor[low] + h$cor * rnorm(sum(low))
    e <- rnorm(K)
    e[together] <- drop(L_between %*% e[together])
    at_scores(v_mean + h$mean * e, v_sd + h$sd * rnorm(K), u_cor,
              if (C > 0) v_slope + h$slope * rnorm(C * K))
  })
  list(
    groups = groups, population = at_scores(v_mean, v_sd, v_cor, v_slope), h = h,
    L_between = if (!is.null(model$between_eta)) L_between
  )
}

# The same draw with every covariance matrix Sigma seen as A Sigma A': from the frame (F1) to the
# raw features with A = C, back with its inverse.
r_change_frame <- function(draw, A) {
  of <- function(part) {
    factor <- t(chol(tcrossprod(A %*% (part$sigma * part$L))))
    sigma <- sqrt(rowSums(factor^2))
    list(mu = part$mu, sigma = sigma, L = factor / sigma, beta = part$beta)
  }
  draw$groups <- lapply(draw$groups, of)
  draw$population <- of(draw$population)
  draw
}

# Rows of every group, with cells missing completely at random (with covariates not of the first
# feature); the group is the first column, covariates x1, x2, ..., standard normal about a mean that
# differs by group, are the last.
r_data <- function(draw, sizes, missing = 0) {
  K <- length(draw$groups[[1]]$mu)
  C <- NROW(draw$groups[[1]]$beta)
  x <- matrix(rnorm(C * sum(sizes)), sum(sizes)) + rep(rnorm(length(sizes)), sizes)
  colnames(x) <- if (C > 0) paste0("x", seq_len(C))
  centred <- sweep(x, 2, colMeans(x))
  at <- split(seq_len(sum(sizes)), rep(seq_along(sizes), sizes))
  rows <- Map(function(group, own) {
    factor <- diag(group$sigma, K) %*% group$L
    y <- t(group$mu + factor %*% matrix(rnorm(K * length(own)), K))
    if (C > 0) y + centred[own, , drop = FALSE] %*% group$beta else y
  }, draw$groups, at)
  y <- do.call(rbind, rows)
  away <- matrix(runif(length(y)) < missing, nrow(y))
  if (C > 0) away[, 1] <- FALSE # a row without data would move the covariates' centre
  y[away] <- NA
  colnames(y) <- paste0("y", seq_len(K))
  data.frame(g = rep(sprintf("g%02d", seq_along(sizes)), sizes), y, x)
}

r_log_likelihood <- function(draw, data) {
  total <- 0
  y <- as.matrix(data[grepl("^y", names(data))])
  x <- as.matrix(data[grepl("^x", names(data))])
  x <- sweep(x, 2, colMeans(x))
  for (g in seq_along(draw$groups)) {
    group <- draw$groups[[g]]
    factor <- diag(group$sigma, length(group$sigma)) %*% group$L
    Sigma <- tcrossprod(factor)
    own <- data$g == sprintf("g%02d", g)
    rows <- y[own, , drop = FALSE]
    if (ncol(x)) rows <- rows - x[own, , drop = FALSE] %*% group$beta
    for (i in seq_len(nrow(rows))) {
      o <- !is.na(rows[i, ])
      if (!any(o)) next
      root <- chol(Sigma[o, o, drop = FALSE])
      z <- backsolve(root, rows[i, o] - group$mu[o], transpose = TRUE)
      total <- total - sum(log(diag(root))) - 0.5 * sum(z^2) - 0.5 * sum(o) * log(2 * pi)
    }
  }
  total
}

# (K1): estimates y, one a row, with their covariance matrices V; NA where a group lacks a feature.
r_known_log_likelihood <- function(draw, y, V) {
  sum(vapply(seq_along(draw$groups), function(g) {
    o <- !is.na(y[g, ])
    root <- chol(V[[g]][o, o, drop = FALSE])
    z <- backsolve(root, y[g, o] - draw$groups[[g]]$mu[o], transpose = TRUE)
    sum(dnorm(z, log = TRUE)) - sum(log(diag(root)))
  }, 0))
}

# What (B1) adds: the density of R_b's factor, by entries; and that of the deviations of the means
# with it, in place of independent ones.
r_between_log_prior <- function(model, draw) {
  together <- which(model$levels$mean == "partial")
  K <- length(together)
  L <- draw$L_between
  partial <- r_partials(L)
  total <- 0
  for (i in seq_len(K)[-1]) {
    for (j in seq_len(i - 1)) {
      b <- model$between_eta + (K - 1 - j) / 2
      stick <- 0.5 * log(1 - sum(L[i, seq_len(j - 1)]^2))
      total <- total + dbeta((partial[i, j] + 1) / 2, b, b, log = TRUE) - log(2) - stick
    }
  }
  for (group in draw$groups) {
    e <- ((group$mu - draw$population$mu) / (model$scale * draw$h$mean))[together]
    correlated <- forwardsolve(L, e)
    total <- total + sum(dnorm(correlated, log = TRUE)) - sum(log(diag(L))) -
      sum(dnorm(e, log = TRUE))
  }
  total
}

# log prior of (mu, sigma, L, population scores, h) as section 3 of the model defines it for lp__.
r_log_prior <- function(model, draw) {
  K <- model$K
  pooling <- model$pooling
  h <- draw$h
  total <- 0
  for (block in c("mean", "sd", if (K > 1) "cor", if (model$C > 0) "slope")) {
    prior <- model$heterogeneity[[block]]
    levels <- model$levels[[block]]
    if (is.null(levels)) levels <- pooling[[block]]
    learned <- rep_len(levels == "partial", length(h[[block]]))
    if (is.na(prior[[1]])) {
      total <- total + sum(dbeta(h[[block]][learned], prior[[2]], prior[[3]], log = TRUE))
    }
  }
  # One scalar: its own density under none and complete (once); under partial the conditional
  # density of its score, the change of variables from score to quantity, and the density of the
  # population score.
  block_log_prior <- function(pooling, h, population, groups, natural, score) {
    values <- if (pooling == "complete") groups[1] else groups
    total <- sum(vapply(values, natural, double(1)))
    if (pooling == "partial") {
      v <- score(population)
      u <- vapply(values, score, double(1))
      total <- total + sum(dnorm(u, v, h, log = TRUE) - dnorm(u, log = TRUE)) +
        dnorm(v / sqrt(1 - h^2), log = TRUE)
    }
    total
  }
  pick <- function(f) vapply(draw$groups, f, double(1))
  if (!is.null(model$between_eta)) {
    total <- total + r_between_log_prior(model, draw)
  }
  for (k in seq_len(K)) {
    total <- total + block_log_prior(
      model$levels$mean[k], h$mean[k], draw$population$mu[k], pick(function(x) x$mu[k]),
      function(x) dnorm(x, model$location[k], model$scale[k], log = TRUE),
      function(x) (x - model$location[k]) / model$scale[k]
    )
    if (model$known) next
    total <- total + block_log_prior(
      pooling[["sd"]], h$sd[k], draw$population$sigma[k], pick(function(x) x$sigma[k]),
      function(x) r_families[[model$family[k]]]$d(x, model$parameters[k, ]),
      function(x) r_score_of_sigma(model, k, x)
    )
  }
  for (c in seq_len(model$C)) {
    for (k in seq_len(K)) {
      location <- model$slope_location[c, k]
      scale <- model$slope_scale[c, k]
      total <- total + block_log_prior(
        model$levels$slope[c, k], h$slope[c, k], draw$population$beta[c, k],
        pick(function(x) x$beta[c, k]), function(x) dnorm(x, location, scale, log = TRUE),
        function(x) (x - location) / scale
      )
    }
  }
  if (model$known) {
    return(total)
  }
  # The density is of the entries L_ij; a partial correlation's density is divided by dL_ij/dc_ij,
  # the stick before j.
  for (i in seq_len(K)) {
    for (j in seq_len(i - 1)) {
      b <- r_shape(model, j)
      total <- total + block_log_prior(
        pooling[["cor"]], h$cor, r_partials(draw$population$L)[i, j],
        pick(function(x) r_partials(x$L)[i, j]),
        function(c) dbeta((c + 1) / 2, b, b, log = TRUE) - log(2),
        function(c) r_score_of_partial(model, j, c)
      )
      sticks <- pick(function(x) 0.5 * log(1 - sum(x$L[i, seq_len(j - 1)]^2)))
      total <- total - if (pooling[["cor"]] == "complete") sticks[1] else sum(sticks)
    }
  }
  total
}
