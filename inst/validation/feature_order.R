# How much does the order of the features matter under partially pooled correlations?
#
#   Rscript feature_order.R [raw | pooled]
#
# With 0 < h < 1 the joint law of the correlation block over groups depends on the order of the
# features (vignette "model", section on pooling). Two data sets are fitted with the features in
# their order and in reverse, all blocks partially pooled; posterior means by group are compared in
# units of the posterior sd. What chance alone does is seen from a third fit, in the first order
# with another seed. One row a quantity is saved in results/feature_order.csv.gz.

# `iter`: sampling iterations of each of four chains.
order_cases <- function(here) {
  schools <- file.path(
    here, "..", "..", "tests", "testthat", "reference", "e_schools_partial_data.csv"
  )
  prior <- function(location, scale, eta) {
    hmvn_prior(
      mean = distributional::dist_normal(location, scale), sd = distributional::dist_exponential(1),
      cor = dist_lkj(eta)
    )
  }
  list(
    iris = list(
      data = stats::setNames(datasets::iris, c(names(iris)[1:4], "group")),
      prior = prior(3.5, 3, 2), iter = 20000
    ),
    schools = list(data = utils::read.csv(schools), prior = prior(0, 2, 1.5), iter = 5000)
  )
}

# With default priors.
pooled_cases <- function() {
  crabs <- MASS::crabs
  crabs$group <- paste(crabs$sp, crabs$sex)
  states <- data.frame(group = datasets::state.region, scale(datasets::state.x77[, 2:6]))
  swiss <- data.frame(group = datasets::swiss$Catholic > 50, datasets::swiss[-5])
  iris <- stats::setNames(datasets::iris, c(names(datasets::iris)[1:4], "group"))
  lapply(
    list(iris = iris, crabs = crabs[-(1:3)], states = states, swiss = swiss),
    function(data) list(data = data, prior = NULL, iter = 10000)
  )
}

# The largest and the typical difference by kind of quantity, and what chance alone makes of them.
summarise_orders <- function(result) {
  parts <- split(result, result[c("case", "comparison", "quantity")], drop = TRUE)
  do.call(rbind, lapply(parts, function(x) {
    data.frame(
      case = x$case[[1]], order = x$comparison[[1]], quantity = x$quantity[[1]],
      values = nrow(x), largest = max(abs(x$difference)),
      typical = sqrt(mean(x$difference^2)), error = sqrt(mean(x$error^2))
    )
  }))
}

# Mean, sd and Monte Carlo error of every mu, sigma and Omega (lower triangle of the alphabetical
# order).
estimates <- function(case, features, seed) {
  fit <- fit_hmvn(
    case$data, group = ~ group, features = features, pooling = "partial", prior = case$prior,
    chains = 4, iter_sampling = case$iter, seed = seed, progress = FALSE
  )
  cat(
    "  seed", seed, "divergent:", sum(fit$sampler$divergent), "seconds:", round(fit$time$total),
    "\n"
  )
  one <- function(x, quantity, group, feature, feature2 = NA) {
    data.frame(
      quantity, group, feature, feature2, mean = mean(x), sd = stats::sd(x),
      mcse = posterior::mcse_mean(x), rhat = posterior::rhat(x)
    )
  }
  rows <- list()
  draws <- posterior::as_draws_rvars(
    fit, variable = c("mu", "sigma", "Omega", "mu0", "sigma0", "Omega0")
  )
  matrix_of <- function(x) posterior::draws_of(x, with_chains = TRUE)
  pairs <- utils::combn(sort(features), 2)
  for (quantity in c("mu", "sigma")) {
    values <- matrix_of(draws[[quantity]])
    population <- matrix_of(draws[[paste0(quantity, "0")]])
    dimnames(values)[3:4] <- list(fit$statistics$labels, fit$statistics$features)
    for (f in features) {
      for (g in fit$statistics$labels) rows <- c(rows, list(one(values[, , g, f], quantity, g, f)))
      rows <- c(rows, list(one(population[, , match(f, features)], paste0(quantity, "0"), NA, f)))
    }
  }
  values <- matrix_of(draws$Omega)
  population <- matrix_of(draws$Omega0)
  dimnames(values)[3:5] <- list(fit$statistics$labels, features, features)
  dimnames(population)[3:4] <- list(features, features)
  for (p in seq_len(ncol(pairs))) {
    f <- pairs[, p]
    for (g in fit$statistics$labels) {
      rows <- c(rows, list(one(values[, , g, f[1], f[2]], "Omega", g, f[1], f[2])))
    }
    rows <- c(rows, list(one(population[, , f[1], f[2]], "Omega0", NA, f[1], f[2])))
  }
  do.call(rbind, rows)
}

# Differences of the means of two fits and their Monte Carlo error, both in posterior sds.
compare <- function(a, b, case, comparison) {
  key <- c("quantity", "group", "feature", "feature2")
  b <- b[match(do.call(paste, a[key]), do.call(paste, b[key])), ]
  sd <- sqrt((a$sd^2 + b$sd^2) / 2)
  data.frame(
    case, comparison, a[key], mean = a$mean, sd = sd, other = b$mean,
    difference = (b$mean - a$mean) / sd, error = sqrt(a$mcse^2 + b$mcse^2) / sd,
    rhat = pmax(a$rhat, b$rhat)
  )
}

raw_orders <- function(here) {
  cases <- order_cases(here)
  result <- list()
  for (name in names(cases)) {
    cat(name, "\n")
    features <- setdiff(names(cases[[name]]$data), "group")
    first <- estimates(cases[[name]], features, seed = 1)
    result <- c(result, list(
      compare(first, estimates(cases[[name]], rev(features), seed = 2), name, "reversed"),
      compare(first, estimates(cases[[name]], features, seed = 3), name, "repeated")
    ))
  }
  do.call(rbind, result)
}

pooled_orders <- function() {
  cases <- pooled_cases()
  result <- list()
  for (name in names(cases)) {
    cat(name, "\n")
    features <- setdiff(names(cases[[name]]$data), "group")
    first <- estimates(cases[[name]], features, seed = 1)
    orders <- list(reversed = rev(features), repeated = features)
    set.seed(1)
    for (i in 1:5) orders[[paste("random", i)]] <- sample(features)
    for (order in names(orders)) {
      other <- estimates(cases[[name]], orders[[order]], seed = 1 + match(order, names(orders)))
      result <- c(result, list(compare(first, other, name, order)))
    }
  }
  summarise_orders(do.call(rbind, result))
}

rounded <- function(result) {
  number <- vapply(result, is.numeric, TRUE)
  result[number] <- lapply(result[number], signif, 6)
  result
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  chosen <- if (length(commandArgs(TRUE))) commandArgs(TRUE) else c("raw", "pooled")
  if ("raw" %in% chosen) {
    file <- gzfile(file.path(here, "results", "feature_order.csv.gz"))
    utils::write.csv(rounded(raw_orders(here)), file, row.names = FALSE)
  }
  if ("pooled" %in% chosen) {
    file <- file.path(here, "results", "feature_order_pooled.csv")
    utils::write.csv(rounded(pooled_orders()), file, row.names = FALSE)
  }
}
