# The frame (F1): priors of sds and correlations stated on whitened features.

# A root of a covariance matrix with strong correlations, as the package has it.
strong_root <- function(K) {
  eigen <- eigen(0.9^abs(outer(seq_len(K), seq_len(K), "-")), symmetric = TRUE)
  (1 + seq_len(K) / 3) * eigen$vectors %*% (sqrt(eigen$values) * t(eigen$vectors))
}

framed_case <- function(K, ...) {
  case <- core_case(K, ...)
  case$core$frame <- strong_root(K)
  case
}

test_that("gradients agree with long-double differences, for all 27 poolings and missing cells", {
  for (missing in c(0, 0.2)) {
    for (pooling in all_poolings(c("none", "partial", "complete"))) {
      expect_right_gradient(framed_case(3, pooling = pooling, missing = missing), n = 4)
    }
  }
})

test_that("gradients and densities are right for every number of features that is compiled", {
  for (K in 1:9) {
    for (missing in c(0, 0.15)) {
      case <- framed_case(K, c(2, K + 3, 3 * K + 10), pooling = "partial", missing = missing)
      set.seed(K)
      found <- inspect_density_(
        case$statistics$patterns, case$n_groups, case$core, random_positions(case, 2, radius = 1)
      )
      expect_lt(max(abs(found$log_density / found$long_density - 1)), 1e-8)
      expect_lt(max(gradient_error(found)), 1e-7)
    }
  }
})

test_that("lp__ is the log joint density in the frame's coordinates, written out in plain R", {
  for (missing in c(0, 0.2)) {
    for (pooling in all_poolings(c("none", "partial", "complete"))) {
      # the change of frame takes a digit of the comparison
      case <- framed_case(3, pooling = pooling, missing = missing)
      expect_density_in_r(case, n = 2, tolerance = 1e-7)
    }
  }
})

test_that("the frame of uncorrelated features is a change of units", {
  units <- c(2, 0.5, 10)
  raw <- core_case(3, pooling = "partial", parameters = cbind(1 / units, NA, NA), missing = 0.1)
  framed <- core_case(3, pooling = "partial", missing = 0.1)
  framed$core$frame <- diag(units)
  framed$statistics <- raw$statistics
  set.seed(2)
  positions <- random_positions(raw, 5)
  density <- function(case) {
    inspect_density_(case$statistics$patterns, case$n_groups, case$core, positions)$log_density
  }
  # the coordinates are standardised by the same likelihoods, so that they are the same
  # up to how closely these are located: 1e-8 in the log density, 1e-4 in a score
  expect_equal(density(framed), density(raw), tolerance = 1e-6)
})

crabs <- function() {
  data <- MASS::crabs
  data$group <- paste(data$sp, data$sex)
  data[c("group", "FL", "RW", "CL", "CW", "BD")]
}

quiet_fit <- function(...) suppressMessages(suppressWarnings(fit_hmvn(..., seed = 1)))

test_that("sds of strongly correlated features are those of the data, which raw priors shrink", {
  skip_if_not_installed("MASS")
  data <- crabs()
  sample_sd <- as.matrix(aggregate(. ~ group, data, sd)[-1])
  ratio <- function(frame) {
    fit <- quiet_fit(data, group = ~group, prior = hmvn_prior(frame = frame))
    posterior::E(group_sd(fit)) / sample_sd
  }
  # half a posterior sd, which is 0.1 for 50 rows
  expect_lt(max(abs(ratio("pooled") - 1)), 0.05)
  expect_lt(max(ratio("raw")), 0.85)
})

test_that("other units or another order of the features change nothing but these", {
  skip_if_not_installed("MASS")
  data <- crabs()
  turned <- data[c("group", "BD", "FL", "CL", "RW", "CW")]
  turned$FL <- 1e6 * turned$FL
  turned$CW <- 1e-3 * turned$CW
  frame <- function(data) suppressMessages(specify(data))$prior$frame$root
  specify <- function(data) {
    specify_model(hmvn_statistics(data, ~group), hmvn_prior(), resolve_pooling("none"), NULL)
  }
  features <- c("FL", "RW", "CL", "CW", "BD")
  root <- frame(turned)[features, features] / c(1e6, 1, 1, 1e-3, 1)
  expect_equal(root, frame(data), tolerance = 1e-8)
})

test_that("direct sampling and NUTS agree in the frame, by rejection and by steps", {
  skip_if_not_installed("MASS")
  data <- crabs()
  prior <- hmvn_prior(frame = "pooled")
  tables <- function(data, ...) {
    lapply(c("nuts", "direct"), function(algorithm) {
      fit <- quiet_fit(data, group = ~group, prior = prior, algorithm = algorithm, chains = 2, ...)
      posterior::summarise_draws(
        as_draws_array(fit, variable = c("mu", "sigma", "lp__")),
        mean = mean, error = posterior::mcse_mean
      )
    })
  }
  agree <- function(found) {
    z <- (found[[1]]$mean - found[[2]]$mean) / sqrt(found[[1]]$error^2 + found[[2]]$error^2)
    expect_lt(max(abs(z)), z_bound(length(z)))
  }
  agree(tables(data))
  agree(tables(data[ave(seq_len(200), data$group, FUN = seq_along) <= 18, ]))
  agree(tables(data, pooling = c(sd = "complete", cor = "complete")))
})

test_that("the order of the features hardly matters under partial pooling in the pooled frame", {
  skip_if_not_installed("MASS")
  data <- crabs()
  fit <- function(features) {
    quiet_fit(
      data, group = ~group, features = features, pooling = c(sd = "partial", cor = "partial"),
      prior = hmvn_prior(frame = "pooled"), iter_sampling = 2000
    )
  }
  features <- c("FL", "RW", "CL", "CW", "BD")
  one <- posterior::as_draws_rvars(fit(features))
  other <- posterior::as_draws_rvars(fit(rev(features)))
  shift <- function(name) {
    a <- one[[name]]
    b <- if (name == "sigma") other$sigma[, features] else other$Omega[, features, features]
    sd <- posterior::sd(a)
    max((abs(posterior::E(a) - posterior::E(b)) / sd)[sd > 0])
  }
  # raw: 1.16 posterior sds
  expect_lt(shift("sigma"), 0.15)
  expect_lt(shift("Omega"), 0.15)
})

test_that("the pooled frame is the covariance within groups, by EM where cells are missing", {
  whole <- hmvn_statistics(iris, ~Species)
  within <- Reduce(`+`, lapply(split(iris[1:4], iris$Species), function(x) 49 * cov(x))) / 147
  expect_equal(pooled_covariance(whole, shrink = FALSE), unname(within), tolerance = 1e-12)
  # the diagonal is worth some four of 147 rows
  share <- 147 / (147 + diagonal_rows(147 * within, 147, diag(within)))
  expect_equal(
    pooled_covariance(whole), unname(share * within + (1 - share) * diag(diag(within))),
    tolerance = 1e-12
  )
  expect_gt(share, 0.95)
  set.seed(4)
  holes <- iris
  for (k in 1:4) holes[runif(150) < 0.2, k] <- NA
  found <- pooled_covariance(hmvn_statistics(holes, ~Species), shrink = FALSE)
  # the likelihood of all rows, means at their best, has its maximum there but for the loss of
  # degrees of freedom, 150 for 147
  deviance <- function(covariance) {
    sum(vapply(split(holes[1:4], holes$Species), function(rows) {
      of <- function(mean) {
        -2 * sum(apply(rows, 1, function(y) {
          o <- !is.na(y)
          if (!any(o)) return(0)
          r <- chol(covariance[o, o, drop = FALSE])
          -sum(log(diag(r))) - sum(backsolve(r, (y - mean)[o], transpose = TRUE)^2) / 2
        }))
      }
      stats::optim(colMeans(rows, na.rm = TRUE), of, method = "BFGS")$value
    }, 0))
  }
  at <- found * 147 / 150
  best <- deviance(at)
  for (i in 1:4) {
    for (j in seq_len(i)) {
      step <- matrix(0, 4, 4)
      step[i, j] <- step[j, i] <- 0.02 * sqrt(at[i, i] * at[j, j])
      expect_gt(deviance(at + step), best - 0.02)
      expect_gt(deviance(at - step), best - 0.02)
    }
  }
})

test_that("the diagonal's rows are where the marginal likelihood (F2) is largest", {
  set.seed(2)
  # by the density of the scatter matrix, Wishart given a covariance matrix, averaged over draws
  K <- 2
  S <- crossprod(matrix(rnorm(12 * K), 12) %*% chol(matrix(c(1, 0.6, 0.6, 1), 2)))
  nu <- 12
  D2 <- diag(S) / nu
  log_marginal <- function(rows) {
    draws <- rWishart(20000, rows + K + 1, diag(1 / (rows * D2)))
    log_density <- apply(draws, 3, function(P) (nu * log(det(P)) - sum(S * P)) / 2)
    log(mean(exp(log_density - max(log_density)))) + max(log_density)
  }
  best <- diagonal_rows(S, nu, D2)
  at <- vapply(best * c(1 / 8, 1, 8), log_marginal, 0)
  expect_gt(at[2], max(at[-2]))
  # of uncorrelated features the diagonal is all, of collinear ones nothing
  expect_gt(diagonal_rows(100 * diag(3), 100, rep(1, 3)), 1e5)
  line <- tcrossprod(rep(1, 3)) + 1e-6 * diag(3)
  expect_lt(diagonal_rows(100 * line, 100, diag(line)), 1e-3)
})

test_that("a pooled frame exists with fewer rows than features, and with one group", {
  set.seed(5)
  data <- data.frame(g = rep(1:2, each = 3), matrix(rnorm(6 * 5), 6))
  expect_gt(min(eigen(pooled_covariance(hmvn_statistics(data, ~g)))$values), 0.05)
  fit <- quiet_fit(data, group = ~g, prior = hmvn_prior(frame = "pooled"), chains = 2)
  expect_true(all(is.finite(posterior::E(group_sd(fit)))))
})

test_that("chains start where hardly a group has complete rows alone, and these are alike", {
  set.seed(122)
  model <- r_model(3, c(mean = "partial", sd = "partial", cor = "partial"))
  truth <- r_prior_draw(model, 4)
  units <- 2^(-1:1)
  e <- eigen(0.9^abs(outer(1:3, 1:3, "-")), symmetric = TRUE)
  root <- units * e$vectors %*% (sqrt(e$values) * t(e$vectors))
  data <- r_data(r_change_frame(truth, root), c(2, 5, 10, 20), missing = 0.15)
  P <- tcrossprod(root)
  dimnames(P) <- rep(list(paste0("y", 1:3)), 2)
  for (seed in 1:3) {
    fit <- short_fit(
      data, ~g, paste0("y", 1:3), pooling = "partial", chains = 1, seed = seed,
      prior = hmvn_prior(
        mean = distributional::dist_normal(0, 1), sd = distributional::dist_exponential(1),
        cor = dist_lkj(2), frame = P
      )
    )
    expect_true(all(is.finite(fit$draws$lp)))
  }
})

test_that("a given frame is matched to the features by name, and resolved once", {
  features <- c("Petal.Length", "Petal.Width")
  P <- cov(iris[features])
  given <- function(P) {
    quiet_fit(iris, ~Species, features, prior = hmvn_prior(frame = P), chains = 1)
  }
  one <- given(P)
  expect_identical(one$draws, given(P[2:1, 2:1])$draws)
  expect_equal(tcrossprod(one$prior$frame$root), P)
  again <- update(one, seed = 1)
  expect_identical(again$draws, one$draws)
})

test_that("a new group in the frame is drawn from the prior, the common value or between them", {
  features <- c("Petal.Length", "Petal.Width")
  fit <- function(pooling) {
    quiet_fit(
      iris, ~Species, features, pooling = pooling, prior = hmvn_prior(frame = "pooled"), chains = 2
    )
  }
  common <- fit("complete")
  new <- suppressMessages(posterior_new_group(common, seed = 1))
  expect_equal(
    posterior::draws_of(new$Sigma)[, 2, 1],
    posterior::draws_of(group_cov(common))[, 1, 2, 1], tolerance = 1e-10
  )
  own <- fit("none")
  drawn <- posterior::draws_of(suppressMessages(posterior_new_group(own, seed = 1))$Sigma)
  inverse <- solve(own$prior$frame$root)
  sds <- apply(drawn, 1, function(S) sqrt(diag(inverse %*% S %*% t(inverse))))
  expect_gt(stats::ks.test(sds[1, ], "pexp")$p.value, 0.001)
  expect_gt(stats::ks.test(sds[2, ], "pexp")$p.value, 0.001)
  # partially pooled with h fixed near 0: the population's own
  tight <- quiet_fit(
    iris, ~Species, features, pooling = "partial", chains = 2,
    prior = hmvn_prior(frame = "pooled", heterogeneity = 1e-4)
  )
  near <- suppressMessages(posterior_new_group(tight, seed = 1))
  population <- posterior::as_draws_rvars(tight)$Sigma0
  ratio <- posterior::draws_of(near$Sigma)[, 1, 1] / posterior::draws_of(population)[, 1, 1]
  expect_lt(max(abs(ratio - 1)), 0.01)
})

test_that("the frame is said where priors are shown", {
  fit <- quiet_fit(iris, ~Species, prior = hmvn_prior(frame = "pooled"), chains = 1)
  expect_snapshot({
    hmvn_prior(frame = "pooled")
    prior_summary(fit)
    fit$prior
  })
})

test_that("a feature may be in a unit of any size", {
  fit_in <- function(unit, data = iris[c("Sepal.Length", "Sepal.Width", "Species")]) {
    data$Sepal.Length <- data$Sepal.Length * unit
    suppressMessages(
      fit_hmvn(data, ~Species, prior = hmvn_prior(frame = "pooled"), iter_sampling = 50, seed = 1)
    )
  }
  correlations <- function(fit) as.vector(as.matrix(fit, variable = "Omega"))
  one <- correlations(fit_in(1))
  for (unit in c(1e-140, 1e-60, 1e60)) {
    expect_equal(correlations(fit_in(unit)), one, tolerance = 1e-6)
  }
})

test_that("features in units far apart, with missing cells, have a frame", {
  data <- with_fixed_seed(1, {
    data <- iris
    for (v in 1:4) data[sample(150, 15), v] <- NA
    data
  })
  other <- data
  unit <- c(2^-40, 2^40, 1, 1)
  other[1:4] <- Map(`*`, data[1:4], unit)
  for (shrink in c(TRUE, FALSE)) {
    expect_identical(
      pooled_covariance(hmvn_statistics(other, ~Species), shrink),
      pooled_covariance(hmvn_statistics(data, ~Species), shrink) * outer(unit, unit)
    )
  }
})
