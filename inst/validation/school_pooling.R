# The two tables of vignette("pooling") that take too long to compute while it is built.
#
#   Rscript school_pooling.R
#
# results/school_prediction.csv: how well pupils are predicted from the others of their school and
# from other schools, under seven ways of pooling. results/school_priors.csv: what priors of the
# heterogeneity do to the estimates.

school_data <- function() {
  pupils <- as.data.frame(nlme::bdf)
  pupils <- pupils[pupils$denomina == "3", c("schoolNR", "IQ.verb", "langPOST", "aritPOST")]
  names(pupils) <- c("school", "iq", "language", "arithmetic")
  pupils$school <- factor(as.character(pupils$school))
  pupils
}

poolings <- function() {
  list(
    c(mean = "none", sd = "none", cor = "none"),
    c(mean = "none", sd = "complete", cor = "complete"),
    c(mean = "partial", sd = "none", cor = "none"),
    c(mean = "partial", sd = "complete", cor = "complete"),
    c(mean = "partial", sd = "partial", cor = "complete"),
    c(mean = "partial", sd = "partial", cor = "partial"),
    c(mean = "complete", sd = "complete", cor = "complete")
  )
}

# The same fixed priors for all folds, near the defaults for all pupils. The lognormal keeps the
# posterior proper where two pupils of a school happen to have the same score (M3).
school_prior <- function(pupils, heterogeneity = NULL) {
  scores <- pupils[c("iq", "language", "arithmetic")]
  sds <- round(vapply(scores, stats::sd, 0), 1)
  hmvn_prior(
    mean = distributional::dist_normal(round(colMeans(scores)), 2.5 * sds),
    sd = distributional::dist_lognormal(log(sds), 0.7),
    heterogeneity = heterogeneity
  )
}

fit_schools <- function(pupils, pooling, prior, seed, iter = 1000) {
  suppressWarnings(suppressMessages(fit_hmvn(
    pupils, group = ~ school, pooling = pooling, prior = prior, chains = 1, iter_sampling = iter,
    seed = seed, progress = FALSE
  )))
}

# log of the posterior mean of each new row's density
log_predictive <- function(fit, new) {
  means <- posterior::draws_of(group_mean(fit))
  covariances <- posterior::draws_of(group_cov(fit))
  out <- numeric(nrow(new))
  for (g in dimnames(group_mean(fit))[[1]]) {
    rows <- which(new$school == g)
    y <- t(as.matrix(new[rows, c("iq", "language", "arithmetic")]))
    each <- vapply(seq_len(dim(means)[1]), function(d) {
      root <- chol(covariances[d, g, , ])
      z <- backsolve(root, y - means[d, g, ], transpose = TRUE)
      -0.5 * colSums(z^2) - sum(log(diag(root))) - 1.5 * log(2 * pi)
    }, numeric(length(rows)))
    each <- matrix(each, length(rows))
    top <- apply(each, 1, max)
    out[rows] <- top + log(rowMeans(exp(each - top)))
  }
  out
}

predict_pupils <- function(pupils, n_folds = 3) {
  rank <- stats::ave(seq_len(nrow(pupils)), pupils$school, FUN = seq_along)
  fold <- rank %% n_folds + 1
  prior <- school_prior(pupils)
  score <- vapply(poolings(), function(pooling) {
    cat(pooling, "\n")
    out <- numeric(nrow(pupils))
    for (f in seq_len(n_folds)) {
      fit <- fit_schools(pupils[fold != f, ], pooling, prior, seed = f)
      out[fold == f] <- log_predictive(fit, pupils[fold == f, ])
    }
    out
  }, numeric(nrow(pupils)))
  small <- stats::ave(numeric(nrow(pupils)), pupils$school, FUN = length) <= 12
  best <- which.max(colSums(score))
  data.frame(
    do.call(rbind, poolings()), total = colSums(score), per_pupil = colMeans(score),
    per_pupil_small = colMeans(score[small, ]),
    behind_best = colSums(score) - sum(score[, best]),
    se = apply(score - score[, best], 2, stats::sd) * sqrt(nrow(score))
  )
}

heterogeneity_priors <- function() {
  beta <- distributional::dist_beta
  list(
    "Beta(1, 1)" = beta(1, 1), "Beta(1, 5)" = beta(1, 5), "Beta(2, 2)" = beta(2, 2),
    "cor fixed at 0.5" = list(cor = 0.5)
  )
}

vary_priors <- function(pupils) {
  rows <- lapply(names(heterogeneity_priors()), function(name) {
    cat(name, "\n")
    fit <- fit_schools(
      pupils, "partial", school_prior(pupils, heterogeneity_priors()[[name]]), seed = 1, iter = 2000
    )
    draws <- posterior::as_draws_rvars(fit, variable = c("tau", "h_cor"))
    mean_sd <- function(x) sprintf("%.2f (%.2f)", posterior::E(x), posterior::sd(x))
    data.frame(
      heterogeneity = name, h_cor = mean_sd(draws$h_cor), tau_language = mean_sd(draws$tau[2]),
      mean_103 = mean_sd(group_mean(fit)["103", "language"]),
      sd_103 = mean_sd(group_sd(fit)["103", "language"]),
      cor_103 = mean_sd(group_cor(fit)["103", "language", "arithmetic"])
    )
  })
  do.call(rbind, rows)
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  pupils <- school_data()
  utils::write.csv(
    vary_priors(pupils), file.path(here, "results", "school_priors.csv"), row.names = FALSE
  )
  table <- predict_pupils(pupils)
  number <- vapply(table, is.numeric, TRUE)
  table[number] <- lapply(table[number], round, 3)
  utils::write.csv(table, file.path(here, "results", "school_prediction.csv"), row.names = FALSE)
}
