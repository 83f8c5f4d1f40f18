# Simulation-based calibration (Talts et al. 2018; quantities of data too, Modrak et al. 2023).
#
#   Rscript sbc.R [simulations = 1000] [variant ...]
#
# Parameters are drawn from the prior and data from the model by model_in_r.R, which shares no code
# with the package; fit_hmvn() is run on the data; the rank of each true quantity among the draws
# must be uniform. Ranks are saved in results/sbc_<variant>.csv.gz. No fit is excluded.

sbc_variants <- function() {
  none <- c(mean = "none", sd = "none", cor = "none")
  all_of <- function(x) c(mean = x, sd = x, cor = x)
  list(
    none = list(pooling = none, algorithm = "nuts"),
    complete = list(pooling = all_of("complete"), algorithm = "nuts"),
    partial = list(pooling = all_of("partial")),
    partial_nuts = list(pooling = all_of("partial"), algorithm = "nuts"),
    mixed = list(
      pooling = c(mean = "partial", sd = "none", cor = "complete"),
      family = c("lognormal", "gamma", "student_t"),
      parameters = rbind(c(-0.3, 0.6, NA), c(2, 2, NA), c(3, 0, 1))
    ),
    partial_cor = list(
      pooling = c(mean = "none", sd = "complete", cor = "partial"), family = rep("normal", 3),
      parameters = cbind(rep(0, 3), 1, NA)
    ),
    direct = list(pooling = none, sizes = c(10, 20, 40)),
    exact = list(pooling = none, sizes = c(60, 100, 200), algorithm = "direct"),
    exact_families = list(
      pooling = none, sizes = c(60, 100, 200), algorithm = "direct",
      family = c("lognormal", "normal", "student_t"),
      parameters = rbind(c(-0.3, 0.6, NA), c(1, 1, NA), c(3, 0.5, 1))
    ),
    steps = list(pooling = none, sizes = c(10, 11, 12), algorithm = "direct"),
    turns = list(pooling = none, sizes = c(4, 5, 6, 8)),
    direct_complete = list(pooling = c(mean = "none", sd = "complete", cor = "complete")),
    missing = list(pooling = all_of("partial"), missing = 0.15),
    missing_none = list(pooling = none, sizes = c(2, 5, 10, 20), missing = 0.15),
    missing_complete = list(pooling = all_of("complete"), missing = 0.15),
    between = list(
      pooling = all_of("partial"), between_eta = 2, sizes = rep(c(2, 5, 10, 20), 2)
    ),
    between_missing = list(
      pooling = c(mean = "partial", sd = "none", cor = "complete"), between_eta = 1,
      sizes = rep(c(3, 6, 12), 3), missing = 0.25
    ),
    # an exponential prior has sds of 1e-6 beside slopes of 2, which are refused as constant
    slopes_none = list(
      pooling = c(none, slope = "none"), C = 2, sizes = c(4, 8, 15, 30),
      family = c("lognormal", "gamma", "lognormal"),
      parameters = rbind(c(-0.3, 0.6, NA), c(3, 3, NA), c(0, 0.5, NA))
    ),
    slopes_partial = list(
      pooling = c(all_of("partial"), slope = "partial"), between_eta = 2, C = 1, missing = 0.15,
      sizes = rep(c(2, 5, 10, 20), 2)
    ),
    slopes_complete = list(
      pooling = c(mean = "partial", sd = "complete", cor = "complete", slope = "complete"),
      between_eta = 2, C = 2, sizes = rep(c(2, 5, 10), 2)
    ),
    frame = list(pooling = all_of("partial"), missing = 0.15, frame = 0.9),
    frame_direct = list(pooling = none, sizes = c(10, 20, 40), frame = 0.9),
    by_feature = list(
      pooling = c(mean = "mixed", sd = "partial", cor = "complete"), between_eta = 2,
      levels = list(mean = c("complete", "partial", "partial")), sizes = rep(c(2, 5, 10, 20), 2)
    ),
    by_covariate = list(
      pooling = c(mean = "mixed", sd = "complete", cor = "complete", slope = "mixed"), C = 2,
      levels = list(
        mean = c("none", "partial", "complete"), slope = rbind(rep("complete", 3), "partial")
      ), sizes = rep(c(3, 6, 12), 2)
    ),
    known = list(
      pooling = c(mean = "partial", sd = "none", cor = "none"), between_eta = 2, known = TRUE,
      sizes = rep(1, 12)
    )
  )
}

# What is ranked: hyperparameters, the first three groups' mu, slopes, sigma, Omega, log det Sigma,
# log-likelihood, log-prior.
quantities_of <- function(model, draw, data) {
  K <- model$K
  cor_of <- function(L) tcrossprod(L)[lower.tri(L)]
  framed <- if (is.null(model$root)) draw else r_change_frame(draw, solve(model$root))
  likelihood <- if (model$known) {
    r_known_log_likelihood(draw, data$mean, data$cov)
  } else {
    r_log_likelihood(draw, data)
  }
  out <- c(log_likelihood = likelihood, log_prior = r_log_prior(model, framed))
  for (block in names(draw$h)) {
    h <- t(draw$h[[block]])
    learned <- which(rep_len(levels_of(model, block) == "partial", length(h)))
    out <- c(out, stats::setNames(h[learned], paste0("h_", block, learned)[seq_along(learned)]))
  }
  pooled <- which(levels_of(model, "mean") != "none")
  mu0 <- stats::setNames(draw$population$mu[pooled], paste0("mu0", pooled)[seq_along(pooled)])
  out <- c(out, mu0)
  if (model$pooling[["sd"]] != "none") out <- c(out, sigma0 = draw$population$sigma)
  numbered <- function(values, name) stats::setNames(values, paste0(name, seq_along(values)))
  if (!is.null(draw$L_between)) out <- c(out, numbered(cor_of(draw$L_between), "Omega_between_"))
  if (model$C > 0 && model$pooling[["slope"]] != "none") {
    out <- c(out, numbered(c(t(draw$population$beta)), "beta0_"))
  }
  if (model$pooling[["cor"]] != "none") {
    out <- c(out, numbered(cor_of(draw$population$L), "Omega0_"))
  }
  for (g in 1:3) {
    group <- draw$groups[[g]]
    slopes <- if (model$C > 0) numbered(c(t(group$beta)), "beta_")
    if (model$known) {
      out <- c(out, stats::setNames(group$mu, paste0("mu", seq_len(K), "_g", g)))
      next
    }
    values <- c(mu = group$mu, slopes, sigma = group$sigma, numbered(cor_of(group$L), "Omega_"),
                logdet = 2 * sum(log(group$sigma)) + 2 * sum(log(diag(group$L))))
    out <- c(out, stats::setNames(values, paste0(names(values), "_g", g)))
  }
  out
}

# The pooling of every entry of a block, slopes in the order of the draws.
levels_of <- function(model, block) {
  levels <- model$levels[[block]]
  if (is.null(levels)) model$pooling[[block]] else c(t(levels))
}

# The same quantities of every draw of a one-chain fit, one column each.
quantities_of_fit <- function(model, fit) {
  K <- model$K
  M <- K * (K + 1) / 2
  draws <- fit$draws
  matrix_of <- function(x) if (is.null(x)) NULL else matrix(x, dim(x)[1], dim(x)[3])
  unpack <- function(packed) {
    K <- (sqrt(8 * length(packed) + 1) - 1) / 2
    L <- matrix(0, K, K)
    L[upper.tri(L, diag = TRUE)] <- packed
    t(L)
  }
  cor_rows <- function(packed) {
    rows <- apply(packed, 1, function(p) {
      R <- stats::cov2cor(tcrossprod(unpack(p)))
      R[lower.tri(R)]
    })
    if (is.matrix(rows)) t(rows) else matrix(rows)
  }
  lp <- matrix_of(draws$lp)[, 1]
  lprior <- matrix_of(draws$lprior)[, 1]
  out <- cbind(log_likelihood = lp - lprior, log_prior = lprior)
  add <- function(values, name) {
    values <- as.matrix(values)
    one <- ncol(values) == 1 && !grepl("_$", name)
    colnames(values) <- if (one) name else paste0(name, seq_len(ncol(values)))
    out <<- cbind(out, values)
  }
  # of some entries, named by their positions
  add_some <- function(values, name, which) {
    values <- matrix_of(values)[, which, drop = FALSE]
    colnames(values) <- paste0(name, which)
    out <<- cbind(out, values)
  }
  at <- function(block, levels) which(levels_of(model, block) %in% levels)
  if (!is.null(draws$h_mean)) add_some(draws$h_mean, "h_mean", at("mean", "partial"))
  if (!is.null(draws$h_slope)) add_some(draws$h_slope, "h_slope", at("slope", "partial"))
  if (!is.null(draws$slope0)) add(matrix_of(draws$slope0), "beta0_")
  if (!is.null(draws$chol_between)) {
    add(cor_rows(matrix_of(draws$chol_between)), "Omega_between_")
  }
  if (!is.null(draws$h_sd)) add(matrix_of(draws$h_sd), "h_sd")
  if (!is.null(draws$h_cor)) add(matrix_of(draws$h_cor), "h_cor_")
  if (!is.null(draws$h_cor)) colnames(out)[ncol(out)] <- "h_cor1"
  if (!is.null(draws$mean0)) add_some(draws$mean0, "mu0", at("mean", c("partial", "complete")))
  if (!is.null(draws$scale0)) add(matrix_of(draws$scale0), "sigma0")
  if (!is.null(draws$chol_cor0)) add(cor_rows(matrix_of(draws$chol_cor0)), "Omega0_")
  for (g in 1:3) {
    columns <- function(x, size) {
      x <- matrix_of(x)
      if (ncol(x) == size) x else x[, (g - 1) * size + seq_len(size), drop = FALSE]
    }
    if (model$known) {
      group <- columns(draws$mean, K)
      colnames(group) <- paste0("mu", seq_len(K), "_g", g)
      out <- cbind(out, group)
      next
    }
    packed <- columns(draws$chol, M)
    scale <- t(apply(packed, 1, function(p) sqrt(rowSums(unpack(p)^2))))
    diagonal <- cumsum(seq_len(K))
    slopes <- if (model$C > 0) columns(draws$slope, model$C * K)
    group <- cbind(
      columns(draws$mean, K), slopes, scale, cor_rows(packed),
      2 * rowSums(log(packed[, diagonal, drop = FALSE]))
    )
    colnames(group) <- paste0(c(paste0("mu", seq_len(K)),
                                if (model$C > 0) paste0("beta_", seq_len(model$C * K)),
                                paste0("sigma", seq_len(K)),
                                paste0("Omega_", seq_len(K * (K - 1) / 2)), "logdet"), "_g", g)
    out <- cbind(out, group)
  }
  out
}

simulate_once <- function(variant, simulation, K = 3, draws = 99, thin = 5) {
  set.seed(simulation)
  sizes <- if (is.null(variant$sizes)) c(2, 5, 10, 20) else variant$sizes
  model <- do.call(r_model, c(
    list(K = K), variant[setdiff(names(variant), c("missing", "sizes", "algorithm", "frame"))]
  ))
  truth <- r_prior_draw(model, length(sizes))
  if (!is.null(variant$frame)) {
    # autocorrelated features of three sizes
    P <- variant$frame^abs(outer(seq_len(K), seq_len(K), "-")) * tcrossprod(2^(seq_len(K) - 2))
    e <- eigen(stats::cov2cor(P), symmetric = TRUE)
    model$root <- sqrt(diag(P)) * e$vectors %*% (sqrt(e$values) * t(e$vectors))
    truth <- r_change_frame(truth, model$root)
  }
  covariates <- if (model$C > 0) paste0("x", seq_len(model$C))
  if (model$known) {
    data <- known_data(truth)
    columns <- list(data = do.call(hmvn_statistics_from, c(data, known = TRUE)))
  } else {
    data <- r_data(truth, sizes, missing = if (is.null(variant$missing)) 0 else variant$missing)
    columns <- list(
      data = data, group = ~ g, features = paste0("y", seq_len(K)), covariates = covariates
    )
  }
  fit <- suppressWarnings(suppressMessages(do.call(fit_hmvn, c(columns, list(
    pooling = said_pooling(model, covariates), prior = prior_of(model),
    algorithm = if (is.null(variant$algorithm)) "auto" else variant$algorithm,
    chains = 1, iter_sampling = draws * thin, thin = thin, seed = simulation,
    progress = FALSE
  )))))
  true <- quantities_of(model, truth, data)
  drawn <- quantities_of_fit(model, fit)
  stopifnot(setequal(names(true), colnames(drawn)))
  data.frame(
    simulation = simulation, quantity = names(true),
    rank = colSums(sweep(drawn[, names(true)], 2, true) < 0),
    divergent = sum(fit$sampler$divergent)
  )
}

# Estimates of every group with covariance matrices of their own; every fourth lacks a feature.
known_data <- function(truth) {
  K <- length(truth$groups[[1]]$mu)
  V <- lapply(truth$groups, function(group) crossprod(matrix(rnorm(K * (K + 2)), K + 2)) / 12)
  y <- do.call(rbind, Map(function(group, V) {
    group$mu + drop(crossprod(chol(V), rnorm(K)))
  }, truth$groups, V))
  dimnames(y) <- list(sprintf("g%02d", seq_along(V)), paste0("y", seq_len(K)))
  for (g in seq(4, length(V), by = 4)) {
    y[g, 1] <- NA
    V[[g]][1, ] <- V[[g]][, 1] <- NA
  }
  list(mean = y, cov = V)
}

# As fit_hmvn() takes it.
said_pooling <- function(model, covariates) {
  if (model$known) {
    return(model$pooling["mean"])
  }
  said <- as.list(model$pooling)
  levels <- model$levels
  if (said$mean == "mixed") {
    said$mean <- stats::setNames(levels$mean, paste0("y", seq_len(model$K)))
  }
  if (identical(said$slope, "mixed")) {
    said$slope <- stats::setNames(levels$slope[, 1], covariates)
  }
  said
}

prior_of <- function(model) {
  sd_prior <- function(k) {
    p <- model$parameters[k, ]
    switch(model$family[k],
      exponential = distributional::dist_exponential(p[1]),
      lognormal = distributional::dist_lognormal(p[1], p[2]),
      gamma = distributional::dist_gamma(p[1], p[2]),
      normal = distributional::dist_truncated(distributional::dist_normal(p[1], p[2]), 0, Inf),
      student_t = distributional::dist_truncated(
        distributional::dist_student_t(p[1], p[2], p[3]), 0, Inf
      )
    )
  }
  between <- if (is.null(model$between_eta)) "independent" else dist_lkj(model$between_eta)
  if (model$known) {
    mean <- distributional::dist_normal(model$location, model$scale)
    return(hmvn_prior(mean = mean, between = between))
  }
  hmvn_prior(
    mean = distributional::dist_normal(model$location, model$scale),
    sd = do.call(c, lapply(seq_len(model$K), sd_prior)),
    cor = dist_lkj(model$eta), frame = if (is.null(model$root)) "raw" else tcrossprod(model$root),
    between = between,
    slope = if (model$C > 0) {
      lapply(seq_len(model$C), function(c) {
        distributional::dist_normal(model$slope_location[c, ], model$slope_scale[c, ])
      })
    }
  )
}

# Saved with one row a simulation: divergences, then the rank of every quantity.
save_sbc <- function(result, file) {
  quantities <- unique(result$quantity)
  ranks <- matrix(
    result$rank, ncol = length(quantities), byrow = TRUE, dimnames = list(NULL, quantities)
  )
  first <- result[!duplicated(result$simulation), c("simulation", "divergent")]
  utils::write.csv(cbind(first, ranks), gzfile(file), row.names = FALSE)
}

read_sbc <- function(file) {
  wide <- utils::read.csv(file)
  quantities <- setdiff(names(wide), c("simulation", "divergent"))
  data.frame(
    simulation = rep(wide$simulation, each = length(quantities)), quantity = quantities,
    rank = as.vector(t(wide[quantities])),
    divergent = rep(wide$divergent, each = length(quantities))
  )
}

# Are ranks uniform on 0, ..., draws? Chi-squared over equal bins, by quantity.
sbc_p_values <- function(result, draws = 99, bins = 20) {
  stopifnot((draws + 1) %% bins == 0)
  by_quantity <- split(result$rank, factor(result$quantity, unique(result$quantity)))
  vapply(by_quantity, function(rank) {
    counts <- tabulate(rank %/% ((draws + 1) / bins) + 1, bins)
    stats::chisq.test(counts)$p.value
  }, double(1))
}

# Simultaneous 95 % band of the difference between the ECDF of n uniform ranks and the uniform, by
# simulation: its half-width in units of the pointwise standard deviation.
sbc_band <- function(n, draws = 99, level = 0.95, simulations = 2000) {
  z <- seq_len(draws) / (draws + 1)
  largest <- replicate(simulations, {
    ranks <- tabulate(sample.int(draws + 1, n, replace = TRUE), draws + 1)
    counts <- cumsum(ranks)[seq_len(draws)] / n
    max(abs(counts - z) / sqrt(z * (1 - z) / n))
  })
  unname(stats::quantile(largest, level))
}

sbc_ecdf_difference <- function(rank, draws = 99) {
  z <- seq_len(draws) / (draws + 1)
  cumsum(tabulate(rank + 1, draws + 1))[seq_len(draws)] / length(rank) - z
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  source(file.path(here, "model_in_r.R"))
  args <- commandArgs(TRUE)
  n <- if (length(args) > 0) as.integer(args[[1]]) else 1000L
  chosen <- if (length(args) > 1) args[-1] else names(sbc_variants())
  for (name in chosen) {
    started <- proc.time()[["elapsed"]]
    rows <- parallel::mclapply(seq_len(n), function(i) simulate_once(sbc_variants()[[name]], i),
                               mc.cores = getOption("mc.cores", 1L))
    failed <- vapply(rows, inherits, logical(1), "try-error")
    if (any(failed)) stop(rows[[which(failed)[[1]]]])
    result <- do.call(rbind, rows)
    save_sbc(result, file.path(here, "results", paste0("sbc_", name, ".csv.gz")))
    cat(name, ":", n, "simulations,", round(proc.time()[["elapsed"]] - started), "s\n")
  }
}
