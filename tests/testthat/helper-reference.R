# The reference cases: data, model, and comparison with the reference posterior (see
# reference/README.md).

reference_file <- function(...) test_path("reference", paste0(...))

reference_prior <- function(location, scale, rate = 1, eta = 2) {
  hmvn_prior(
    mean = distributional::dist_normal(location, scale),
    sd = distributional::dist_exponential(rate), cor = dist_lkj(eta),
    between = "independent"
  )
}

seed_statistics <- function() {
  given <- utils::read.csv(reference_file("a_seed_none_statistics.csv"))
  hmvn_statistics_from(
    n = stats::setNames(given$n, given$group),
    mean = matrix(c(given$mean_x, given$mean_y), 2, dimnames = list(given$group, c("x", "y"))),
    cov = stats::setNames(
      lapply(1:2, function(i) matrix(unlist(given[i, c("var_x", "cov_xy", "cov_xy", "var_y")]), 2)),
      given$group
    )
  )
}

# The call of fit_hmvn() for a case; sampler settings in `...`.
reference_fit <- function(case, ...) {
  arguments <- switch(substr(case, 1, 1),
    a = list(seed_statistics(), pooling = "none", prior = reference_prior(0, 1)),
    b = list(
      seed_statistics(), pooling = c(sd = "complete", cor = "complete"),
      prior = reference_prior(0, 1)
    ),
    c = list(utils::read.csv(
      reference_file("c_iris_none_data.csv")
    ), group = "group", pooling = "none",
             prior = reference_prior(0, 10)),
    d = list(utils::read.csv(
      reference_file("c_iris_none_data.csv")
    ), group = "group", pooling = "partial",
             prior = reference_prior(3.5, 3)),
    e = list(utils::read.csv(
      reference_file("e_schools_partial_data.csv")
    ), group = "group", pooling = "partial",
             prior = reference_prior(0, 2, eta = 1.5)),
    f = list(utils::read.csv(
      reference_file("f_schools_na_partial_data.csv")
    ), group = "group", pooling = "partial",
             prior = reference_prior(0, 2, eta = 1.5))
  )
  suppressMessages(do.call(fit_hmvn, c(arguments, list(...))))
}

# z of every mean and sd against the reference, in combined Monte Carlo errors.
reference_z <- function(fit, case) {
  reference <- utils::read.csv(reference_file(case, "_summary.csv"))
  draws <- posterior::as_draws_array(fit)
  known <- posterior::variables(draws)
  ours <- lapply(reference$variable, function(name) {
    x <- posterior::extract_variable_matrix(draws, if (name %in% known) name else transposed(name))
    c(mean(x), sd(x), posterior::mcse_mean(x), posterior::mcse_sd(x))
  })
  ours <- do.call(rbind, ours)
  c(
    stats::setNames(
      (ours[, 1] - reference$mean) / sqrt(ours[, 3]^2 + reference$mcse_mean^2), reference$variable
    ),
    stats::setNames(
      (ours[, 2] - reference$sd) / sqrt(ours[, 4]^2 + reference$mcse_sd^2),
      paste("sd of", reference$variable)
    )
  )
}

transposed <- function(name) sub("(.*)\\[(.*),(.*),(.*)\\]", "\\1[\\2,\\4,\\3]", name)

expect_agreement <- function(fit, case) {
  z <- reference_z(fit, case)
  expect_lt(
    max(abs(z)), z_bound(length(z)),
    label = paste0(case, ": largest |z| (", names(which.max(abs(z))), ")")
  )
  expect_equal(sum(fit$units$divergent), 0, label = paste0(case, ": divergences"))
}
