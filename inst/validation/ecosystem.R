# One fit through the tools that R users know, and the questions that are asked of a fit.
#
#   Rscript ecosystem.R [name of the package set]
#
# Every row is one call. `checked` says what its result was compared with, computed here from the
# draws or the rows in plain R; `ok` whether they agree. A tool that is not installed is a row too.
# Saved in results/ecosystem_<name>.csv.

here <- function() {
  file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  if (length(file)) dirname(file) else "."
}

rows <- list()

# `package`: whose call it is; `ask`: the call, evaluated; `check`: a function of its result that is
# TRUE where it is right; `against`: what that compares with.
try_call <- function(package, ask, against, check) {
  call <- substitute(ask)
  version <- tryCatch(as.character(utils::packageVersion(package)), error = function(e) NA)
  outcome <- if (is.na(version)) {
    list(ok = NA, text = "not installed")
  } else {
    tryCatch(
      {
        value <- suppressMessages(suppressWarnings(eval(call, globalenv())))
        list(ok = isTRUE(check(value)), text = paste(class(value)[[1L]], size_text(value)))
      },
      error = function(e) list(ok = FALSE, text = conditionMessage(e))
    )
  }
  rows[[length(rows) + 1L]] <<- data.frame(
    tool = package, version = version, call = paste(deparse(call, 500L), collapse = " "),
    result = gsub("\\s+", " ", substr(outcome$text, 1L, 100L)), checked = against, ok = outcome$ok
  )
}

size_text <- function(x) {
  size <- if (is.null(dim(x))) length(x) else dim(x)
  paste(size, collapse = " x ")
}

near <- function(a, b, tolerance = 1e-8) {
  isTRUE(all.equal(as.numeric(a), as.numeric(b), tolerance))
}

library(hmvn)
fit <- fit_hmvn(iris, group = ~Species, features = ~ Sepal.Length + Sepal.Width + Petal.Length,
  seed = 1)
partial <- update(fit, pooling = "partial")
mu <- posterior::draws_of(group_mean(fit))
sigma <- posterior::draws_of(group_sd(fit))
Omega <- posterior::draws_of(group_cor(fit))
Sigma <- posterior::draws_of(group_cov(fit))
features <- fit$statistics$features
n_draws <- nrow(mu)

# The log density of a row in a group at every draw.
log_density <- function(y, g) {
  vapply(seq_len(n_draws), function(s) {
    root <- chol(Sigma[s, g, , ])
    -sum(backsolve(root, y - mu[s, g, ], transpose = TRUE)^2) / 2 - sum(log(diag(root))) -
      length(y) / 2 * log(2 * pi)
  }, 0)
}
row1 <- as.numeric(iris[1, features])
in_group <- vapply(1:3, function(g) log_density(row1, g), double(n_draws))
log_mean <- function(x) max(x) + log(mean(exp(x - max(x))))

# tools ------------------------------------------------------------------------------------------
try_call("posterior", posterior::summarise_draws(fit, "mean"), "means of draws", function(x) {
  near(as.numeric(x$mean[x$variable == "mu[setosa,Sepal.Length]"]), mean(mu[, 1, 1]))
})
try_call("bayesplot", bayesplot::rhat(fit, variable = "mu"), "posterior::rhat()", function(x) {
  near(x[["mu[setosa,Sepal.Length]"]], posterior::rhat(matrix(mu[, 1, 1], ncol = 4)))
})
try_call("bayesplot", bayesplot::mcmc_areas(fit, regex_pars = "^mu"), "a plot", function(x) {
  inherits(x, "ggplot")
})
try_call("rstantools", log_lik(fit), "the Normal density of row 1", function(x) {
  near(x[, 1], in_group[, 1])
})
try_call("loo", loo::loo(fit), "sum of points", function(x) {
  near(x$estimates["elpd_loo", 1], sum(x$pointwise[, "elpd_loo"]))
})
try_call("loo", loo::loo_compare(fit, partial), "two rows", function(x) nrow(x) == 2)
try_call("loo", loo::kfold(fit, K = 5, seed = 1), "within 4 se of loo", function(x) {
  other <- suppressWarnings(loo::loo(fit))$estimates
  abs(x$estimates["elpd_kfold", 1] - other["elpd_loo", 1]) < 4 * other["elpd_loo", 2]
})
try_call("bridgesampling", bridgesampling::bridge_sampler(fit), "sum over groups", function(x) {
  near(x$logml, sum(vapply(x$groups, `[[`, 0, "logml")))
})
try_call(
  "bridgesampling", bridgesampling::bayes_factor(fit, partial), "difference of both bridges",
  function(x) {
    one <- bridgesampling::bridge_sampler(fit)$logml
    other <- bridgesampling::bridge_sampler(partial)$logml
    abs(log(x$bf) - (one - other)) < 0.2
  }
)
try_call("bridgesampling", bridgesampling::post_prob(fit, partial), "shares that sum to 1",
  function(x) near(sum(x), 1) && length(x) == 2)
try_call("loo", loo::loo_model_weights(fit, partial), "weights that sum to 1", function(x) {
  near(sum(x), 1) && length(x) == 2
})
try_call("rstantools", rstantools::loo_linpred(fit), "means of a row weighted by 1 / likelihood",
  function(x) {
    weight <- exp(-log_density(unlist(iris[1, 1:3]), 1))
    dim(x$value)[[1]] == 150 && max(abs(x$value[1, ] - colSums(mu[, 1, ] * weight) / sum(weight))) <
      0.01
  })
try_call("rstantools", rstantools::loo_pit(fit), "half of the rows below 0.5", function(x) {
  x <- if (is.list(x)) x$value else x
  all(abs(colMeans(x < 0.5) - 0.5) < 4 * 0.5 / sqrt(150))
})
raw <- update(fit, prior = hmvn_prior(frame = "raw"))
try_call("brms", brms::prior_draws(raw, "Omega", group = "setosa"), "LKJ(2) of three features",
  function(x) {
    x <- posterior::as_draws_matrix(x)
    all(abs(apply(x, 2, stats::sd) - sqrt(1 / 6)) < 0.05)
  })
try_call("priorsense", priorsense::powerscale_sensitivity(fit, variable = "sigma"), "nine sds",
  function(x) NROW(if (is.data.frame(x)) x else x$sensitivity) == 9)
try_call("coda", coda::as.mcmc(fit, variable = "mu"), "draws", function(x) {
  near(as.matrix(x)[, "mu[setosa,Sepal.Length]"], mu[, 1, 1])
})
try_call("nlme", nlme::fixef(partial), "means of mu0", function(x) {
  near(x, colMeans(as.matrix(partial, variable = "mu0")))
})
try_call("generics", generics::tidy(fit), "27 terms", function(x) nrow(x) == 27)
try_call("modelsummary", modelsummary::modelsummary(fit, output = "data.frame"), "a table",
  function(x) is.data.frame(x) && nrow(x) > 27)
try_call("bayestestR", bayestestR::describe_posterior(fit), "medians", function(x) {
  near(x$Median[[1L]], stats::median(mu[, 1, 1]))
})
try_call("bayestestR", bayestestR::p_direction(fit, variable = "Omega"), "shares of draws",
  function(x) near(x$pd[[1L]], mean(Omega[, 1, 2, 1] > 0)))
try_call("parameters", parameters::model_parameters(fit), "27 rows", function(x) nrow(x) == 27)
try_call("insight", insight::get_parameters(fit), "draws", function(x) near(x[[1L]], mu[, 1, 1]))
try_call("performance", performance::model_performance(fit), "loo", function(x) {
  near(x$ELPD, suppressWarnings(loo::loo(fit))$estimates["elpd_loo", 1])
})
try_call("emmeans", as.data.frame(emmeans::emmeans(fit, ~ Species | feature)), "medians of means",
  function(x) near(x$emmean, apply(mu, 2:3, stats::median)))
try_call("tidybayes", tidybayes::spread_draws(fit, mu[g, f]), "draws", function(x) {
  near(sort(x$mu), sort(mu))
})
try_call("tidybayes", tidybayes::predicted_draws(fit, iris[1:2, ], seed = 1), "their number",
  function(x) nrow(x) == 2 * 3 * n_draws)
try_call("tidybayes", tidybayes::epred_draws(fit, iris[1:2, ], category = ".category"),
  "mean of group 1", function(x) near(mean(x$.epred), mean(mu[, 1, ])))

# marginaleffects 1.0.0 takes it from base R, which has it since 4.4
if (!exists("%||%", baseenv())) `%||%` <- rlang::`%||%`
differences <- function(x) apply(x[, 2:3, ] - x[, c(1, 1), ], 2:3, stats::median)
try_call("marginaleffects", marginaleffects::avg_comparisons(fit, variables = "Species"),
  "medians of differences of means", function(x) {
    at <- cbind(match(sub(" - .*", "", x$contrast), levels(iris$Species)) - 1,
      match(x$group, features))
    nrow(x) == 6 && near(x$estimate, differences(mu)[at])
  })
aged <- fit_hmvn(transform(iris, age = seq_len(150) %% 7), group = ~Species, seed = 1,
  features = ~ Sepal.Length + Sepal.Width, covariates = ~age)
try_call("marginaleffects", marginaleffects::avg_slopes(aged, variables = "age", by = "Species"),
  "medians of slopes", function(x) {
    slopes <- apply(posterior::draws_of(group_slope(aged)), 2:4, stats::median)
    at <- cbind(match(x$Species, levels(iris$Species)), 1, match(x$group, dimnames(slopes)[[3]]))
    nrow(x) == 6 && near(x$estimate, slopes[at], 1e-4)
  })

# the questions ----------------------------------------------------------------------------------
try_call("hmvn", compare_groups(fit, what = "cor"), "differences of draws, all nine", function(x) {
  at <- function(names) match(names, features)
  d <- mapply(function(a, b, i, j) Omega[, a, i, j] - Omega[, b, i, j],
    match(x$group, levels(iris$Species)), match(x$reference, levels(iris$Species)),
    at(x$feature), at(x$feature2))
  nrow(x) == 9 && near(x$mean, colMeans(d)) && near(x$p_positive, colMeans(d > 0))
})
try_call("hmvn", compare_groups(fit), "three pairs, means", function(x) {
  one <- subset(x, quantity == "mean" & group == "virginica" & reference == "setosa")
  nrow(unique(as.data.frame(x)[c("group", "reference")])) == 3 &&
    near(one$mean, colMeans(mu[, 3, ] - mu[, 1, ]))
})
try_call("hmvn", closest_groups(fit), "affine-invariant distances", function(x) {
  distance <- function(s, a, b) {
    sqrt(sum(log(Re(eigen(solve(Sigma[s, a, , ], Sigma[s, b, , ]))$values))^2))
  }
  pairs <- utils::combn(3, 2)
  wanted <- apply(pairs, 2, function(p) {
    mean(vapply(seq_len(n_draws), distance, 0, p[[1L]], p[[2L]]))
  })
  near(sort(x$mean), sort(wanted))
})
try_call("hmvn", outlying_groups(fit), "average distance from the others", function(x) {
  all <- as.data.frame(closest_groups(fit))
  average <- vapply(x$group, function(g) {
    mean(all$mean[all$group == g | all$reference == g])
  }, 0)
  near(x$mean, average) && !is.unsorted(-x$mean)
})
try_call("hmvn", plot(fit, features = features[1:2], ndraws = 0), "ellipses hold 90 %",
  function(x) {
    built <- ggplot2::ggplot_build(x)$data
    path <- built[[length(built)]]
    one <- path[path$colour == path$colour[[1L]], c("x", "y")]
    d <- stats::mahalanobis(one, colMeans(mu[, 1, 1:2]), apply(Sigma[, 1, 1:2, 1:2], 2:3, mean))
    near(d, rep(stats::qchisq(0.9, 2), nrow(one)))
  })
try_call("hmvn", plot(partial, "shrinkage"), "from the means of rows to those of the posterior",
  function(x) {
    raw <- unlist(lapply(features, function(f) tapply(iris[[f]], iris$Species, mean)))
    near(x$data$raw, raw) &&
      near(x$data$pooled, apply(posterior::draws_of(group_mean(partial)), 2:3, mean))
  })
try_call("hmvn", predict(fit, iris[1, features], type = "group", proportions = "uniform"),
  "Bayes' rule", function(x) {
    p <- exp(apply(in_group, 2, log_mean))
    near(x, p / sum(p), 1e-6)
  })
try_call("hmvn",
  predict(fit, data.frame(Species = "setosa", Sepal.Length = 5), type = "response"),
  "the conditional mean of petal length", function(x) {
    m <- mu[, 1, 3] + Sigma[, 1, 3, 1] / Sigma[, 1, 1, 1] * (5 - mu[, 1, 1])
    found <- x$mean[x$feature == "Petal.Length"]
    abs(found - mean(m)) < 6 * sd(iris$Petal.Length[1:50]) / sqrt(n_draws)
  })
try_call("hmvn", loo::loo_compare(fit, partial), "difference of the sums", function(x) {
  sums <- vapply(list(fit, partial), function(one) loo::loo(one)$estimates["elpd_loo", 1], 0)
  near(x[2, "elpd_diff"], min(sums) - max(sums))
})
try_call("bayesplot", bayesplot::pp_check(fit, seed = 1), "rows of the data", function(x) {
  y <- subset(x$data, is_y)$value
  near(sort(y), sort(iris[[features[[1L]]]]))
})
try_call("hmvn", prior_summary(fit), "means and sds of columns", function(x) {
  y <- iris[[features[[3L]]]]
  shown <- function(x) format(x, digits = 4)
  wanted <- sprintf("Normal(%s, %s^2)", shown(mean(y)), shown(2.5 * sd(y)))
  identical(x$prior[x$block == "mean"][[3L]], wanted) && "LKJ(2)" %in% x$prior
})
try_call("hmvn", as_table(fit, "mu"), "means and sds of draws", function(x) {
  number <- function(text) as.numeric(sub(" .*", "", text))
  all(abs(number(x$setosa) - colMeans(mu[, 1, ])) < 0.001)
})
try_call("hmvn", knitr::kable(summary(fit, "mu")), "a table", function(x) length(x) > 9)
try_call("hmvn", {
  file <- tempfile(fileext = ".rds")
  saveRDS(fit, file)
  update(readRDS(file), seed = 1)
}, "the same draws", function(x) identical(as_draws_array(x), as_draws_array(fit)))
try_call("hmvn", posterior_new_group(partial, seed = 1), "the typical group's mean", function(x) {
  new <- posterior::draws_of(x$mu)
  typical <- as.matrix(partial, variable = "mu0")
  size <- nrow(new)
  error <- apply(new, 2, sd) / sqrt(size / 4)
  all(abs(apply(new, 2, stats::median) - apply(typical, 2, stats::median)) < 5 * error)
})
try_call("hmvn", posterior_impute(update(fit, data = replace(iris, 1, c(NA, iris[-1, 1]))),
  seed = 1), "the regression on its other cells", function(x) {
  # of the 49 other setosas
  rows <- iris[2:50, features]
  names(rows) <- c("y", "a", "b")
  given <- stats::lm(y ~ a + b, rows)
  new <- stats::predict(given, data.frame(a = iris[1, features[2]], b = iris[1, features[3]]),
    se.fit = TRUE)
  abs(mean(x$draws) - new$fit) < new$se.fit && abs(sd(x$draws) / new$residual.scale - 1) < 0.1
})
try_call("hmvn", stancode(fit), "a program", function(x) any(grepl("lkj_corr", x)))

table <- do.call(rbind, rows)
name <- c(commandArgs(trailingOnly = TRUE), "installed")[[1L]]
utils::write.csv(table, file.path(here(), "results", paste0("ecosystem_", name, ".csv")),
  row.names = FALSE)
print(table[c("tool", "result", "ok")], right = FALSE)
cat(sum(table$ok, na.rm = TRUE), "right,", sum(!table$ok, na.rm = TRUE), "not,",
  sum(is.na(table$ok)), "not installed\n")
