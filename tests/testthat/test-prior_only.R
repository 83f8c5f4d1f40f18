# The sampler without data must return the prior, whatever the pooling: each group's own law is
# (P1)-(P3).

thinned <- function(x, every) as.vector(x[seq(1, dim(x)[1], by = every), ])

test_that("prior-only draws follow the priors under every pooling", {
  K <- 3
  eta <- 1.5
  data <- data.frame(g = rep(c("a", "b"), each = 5), x = rnorm(10), y = rnorm(10), z = rnorm(10))
  prior <- hmvn_prior(
    mean = distributional::dist_normal(c(0, 1, -2), c(1, 2, 3)), cor = dist_lkj(eta),
    sd = c(
      distributional::dist_exponential(2), distributional::dist_gamma(2, 1),
      distributional::dist_lognormal(0, 1)
    )
  )
  p <- numeric()
  for (pooling in c("none", "partial", "complete")) {
    fit <- suppressMessages(fit_hmvn(
      data, group = ~ g, prior = prior, pooling = pooling, prior_only = TRUE,
      chains = 2, iter_sampling = 8000, iter_warmup = 500, thin = 8, cores = 2, seed = 11,
      adapt_delta = 0.8
    ))
    draws <- posterior::as_draws_array(fit)
    value <- function(name) thinned(posterior::extract_variable_matrix(draws, name), 1)
    test <- function(name, cdf) p[paste(pooling, name)] <<- ks.test(value(name), cdf)$p.value
    test("mu[a,y]", function(x) pnorm(x, 1, 2))
    test("mu[b,z]", function(x) pnorm(x, -2, 3))
    test("sigma[a,x]", function(x) pexp(x, 2))
    test("sigma[b,y]", function(x) pgamma(x, 2, 1))
    test("sigma[a,z]", function(x) plnorm(x))
    marginal <- eta - 1 + K / 2
    for (name in c("Omega[a,y,x]", "Omega[b,z,x]", "Omega[a,z,y]")) {
      test(name, function(x) pbeta((x + 1) / 2, marginal, marginal))
    }
    if (pooling == "partial") {
      for (name in c("h_mean[x]", "h_sd[z]", "h_cor")) test(name, punif)
    }
  }
  expect_gt(min(p.adjust(p, "holm")), 0.001)
})

test_that("under partial pooling two groups' scores correlate as 1 - h^2 says (S4)", {
  data <- data.frame(g = c("a", "b"), x = c(0, 1))
  fit <- suppressMessages(fit_hmvn(
    data, group = ~ g, features = ~ x, pooling = "partial", prior_only = TRUE,
    prior = hmvn_prior(
      mean = distributional::dist_normal(0, 1), sd = distributional::dist_exponential(1),
      heterogeneity = 0.6
    ),
    chains = 2, iter_sampling = 8000, iter_warmup = 500, thin = 4, cores = 2, seed = 3,
    adapt_delta = 0.8
  ))
  draws <- posterior::as_draws_array(fit)
  value <- function(name) as.vector(posterior::extract_variable_matrix(draws, name))
  score <- function(group) qnorm(pexp(value(sprintf("sigma[%s,x]", group))))
  wanted <- 1 - 0.6^2
  z <- c(
    (atanh(cor(value("mu[a,x]"), value("mu[b,x]"))) - atanh(wanted)) * sqrt(4000 - 3),
    (atanh(cor(score("a"), score("b"))) - atanh(wanted)) * sqrt(4000 - 3),
    # mu0 is read at v: its variance is 1 - h^2, not 1
    (var(value("mu0[x]")) / wanted - 1) / sqrt(2 / 4000)
  )
  expect_lt(max(abs(z)), z_bound(3))
})
