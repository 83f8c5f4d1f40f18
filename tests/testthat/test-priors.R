library(distributional)
s <- hmvn_statistics(iris, "Species", c("Sepal.Length", "Sepal.Width"))
k <- s$features

test_that("defaults scale with the data", {
  prior <- resolve_prior(NULL, s, "raw")
  expect_equal(prior$mean$location, colMeans(iris[k]))
  expect_equal(prior$mean$scale, 2.5 * vapply(iris[k], sd, 0))
  expect_identical(prior$sd$family, rep("exponential", 2))
  expect_equal(prior$sd$parameters[, 1], 1 / vapply(iris[k], sd, 0))
  expect_identical(prior$cor$eta, 2)
  expect_equal(prior$heterogeneity$cor, c(fixed = NA, shape1 = 1, shape2 = 1))
  expect_identical(prior$default$mean, stats::setNames(c(TRUE, TRUE), k))
  expect_true(prior$default$cor)
})

test_that("one for all, one each by position, one each by name", {
  one <- resolved_prior(s, mean = dist_normal(1, 2), sd = dist_exponential(3), cor = dist_lkj(0.5))
  expect_identical(one$mean$location, stats::setNames(c(1, 1), k))
  expect_identical(unname(one$sd$parameters[, 1]), c(3, 3))
  expect_identical(one$cor$eta, 0.5)
  expect_false(one$default$cor || any(one$default$mean) || any(one$default$sd))
  each <- resolved_prior(s, mean = dist_normal(1:2, 3:4))
  expect_identical(unname(each$mean$scale), c(3, 4))
  expect_true(all(each$default$sd))
  named <- resolved_prior(
    s, mean = c(Sepal.Width = dist_normal(2, 4), Sepal.Length = dist_normal(1, 3))
  )
  expect_identical(named$mean, each$mean)
  listed <- resolved_prior(
    s, mean = list(Sepal.Width = dist_normal(2, 4), Sepal.Length = dist_normal(1, 3))
  )
  expect_identical(listed$mean, each$mean)
})

test_that("every family of sd priors is read, halves and truncated forms alike", {
  read <- function(d) read_sd_prior(d, NULL)
  expect_identical(
    read(dist_exponential(2)), list(family = "exponential", parameters = c(2, NA, NA))
  )
  expect_identical(read(dist_normal(0, 2)), list(family = "normal", parameters = c(0, 2, NA)))
  expect_identical(
    read(dist_truncated(dist_normal(1, 2), 0, Inf)),
    list(family = "normal", parameters = c(1, 2, NA))
  )
  expect_identical(
    read(dist_student_t(3, 0, 2)), list(family = "student_t", parameters = c(3, 0, 2))
  )
  expect_identical(
    read(dist_truncated(dist_student_t(3, 1, 2), 0)),
    list(family = "student_t", parameters = c(3, 1, 2))
  )
  expect_identical(read(dist_cauchy(0, 2)), list(family = "student_t", parameters = c(1, 0, 2)))
  expect_identical(read(dist_gamma(2, 3)), list(family = "gamma", parameters = c(2, 3, NA)))
  expect_identical(
    read(dist_lognormal(-1, 2)), list(family = "lognormal", parameters = c(-1, 2, NA))
  )
})

test_that("families mix by feature", {
  prior <- resolved_prior(s, sd = c(dist_gamma(2, 3), dist_student_t(3, 0, 2)))
  expect_identical(prior$sd$family, c("gamma", "student_t"))
  expect_identical(prior$sd$parameters, rbind(Sepal.Length = c(2, 3, NA), Sepal.Width = c(3, 0, 2)))
})

test_that("heterogeneity: one for all, by block, fixed or Beta", {
  h <- function(x) resolved_prior(s, heterogeneity = x)$heterogeneity
  expect_identical(names(h(NULL)), c("mean", "sd", "cor", "slope"))
  expect_equal(h(0.3)$sd, c(fixed = 0.3, shape1 = NA, shape2 = NA))
  expect_equal(h(dist_beta(1, 3))$cor, c(fixed = NA, shape1 = 1, shape2 = 3))
  some <- h(list(cor = 0, mean = dist_beta(2, 2)))
  expect_equal(some$cor[["fixed"]], 0)
  expect_equal(some$mean[["shape1"]], 2)
  expect_equal(some$sd, c(fixed = NA, shape1 = 1, shape2 = 1))
  expect_equal(h(c(sd = 1))$sd[["fixed"]], 1)
})

test_that("bad priors are errors of class prior", {
  bad <- function(...) expect_error(resolved_prior(s, ...), class = "hmvn_error_prior")
  expect_identical(bad(mean = dist_normal(0, 0))$argument, "mean")
  bad(mean = dist_normal(0, NA))
  bad(mean = dist_normal(NA, 1))
  bad(mean = dist_normal(Inf, 1))
  bad(mean = c(dist_normal(0, 1), NA))
  bad(mean = dist_exponential(1))
  bad(mean = 0)
  bad(mean = "normal")
  bad(mean = dist_normal(1:3, 1))
  bad(mean = c(x = dist_normal(0, 1), y = dist_normal(0, 1)))
  bad(mean = c(Sepal.Width = dist_normal(0, 1)))
  bad(mean = list(dist_normal(0, 1), 2))
  expect_identical(bad(sd = dist_exponential(0))$argument, "sd")
  bad(sd = dist_exponential(NA))
  bad(sd = dist_exponential(-1))
  bad(mean = no_such_function(0, 1))
  bad(sd = dist_beta(1, 1))
  bad(sd = dist_normal(1, 1))
  bad(sd = dist_cauchy(1, 1))
  bad(sd = dist_truncated(dist_normal(0, 1), -1, Inf))
  bad(sd = dist_truncated(dist_normal(0, 1), 0, 5))
  bad(sd = dist_truncated(dist_normal(0, 1), 0.5, Inf))
  bad(sd = dist_lkj(2))
  bad(cor = 2)
  bad(cor = dist_beta(1, 1))
  for (h in list(
    1.5, -0.1, NA, "x", dist_normal(0, 1), dist_beta(0, 1), list(rho = 1), list(mean = 2)
  )) {
    bad(heterogeneity = h)
  }
  for (eta in list(0, -1, NA, Inf, "2", 1:2, NULL)) expect_error(
    dist_lkj(eta), class = "hmvn_error_prior"
  )
  expect_error(resolve_prior(list(), s, "raw"), class = "hmvn_error_prior")
})

test_that("what only claims to be a distribution is refused", {
  spoofed <- list(
    structure(1, class = "distribution"), structure(list(), class = "distribution"),
    structure(list(1), class = "distribution"), structure(mean, class = "distribution"),
    structure(new.env(), class = "distribution"),
    structure("normal", class = class(dist_normal(0, 1))),
    structure(list(structure(list(), class = "dist_normal")), class = class(dist_normal(0, 1)))
  )
  for (arg in names(formals(hmvn_prior))) {
    for (x in spoofed) for (given in list(x, list(x))) {
      expect_error(
        do.call(hmvn_prior, stats::setNames(list(given), arg), quote = TRUE), arg,
        class = "hmvn_error_prior"
      )
    }
  }
})

test_that("features without data or variation need explicit priors", {
  explicit <- list(mean = dist_normal(0, 1), sd = dist_exponential(1))
  flat <- list(
    one_row = iris[1, ], constant = transform(iris, Sepal.Width = 0.1),
    offset = transform(iris, Sepal.Width = 1e8 + 0.1),
    empty = transform(iris, Sepal.Width = NA_real_)
  )
  for (data in flat) {
    s <- quietly(hmvn_statistics(data, "Species", k))
    expect_error(resolve_prior(NULL, s, "raw"), "Sepal.Width", class = "hmvn_error_prior")
    expect_error(resolved_prior(s, mean = explicit$mean), class = "hmvn_error_prior")
    expect_s3_class(
      resolved_prior(s, mean = explicit$mean, sd = explicit$sd), "hmvn_resolved_prior"
    )
  }
})

test_that("priors print what they say", {
  expect_output(print(dist_lkj(2)), "LKJ(2)", fixed = TRUE)
  expect_output(print(hmvn_prior()), "LKJ(2)", fixed = TRUE)
  prior <- hmvn_prior(
    dist_normal(0, 1), c(a = dist_exponential(1), b = dist_gamma(2, 1)), dist_lkj(1.5),
    list(cor = 0.5)
  )
  text <- format(prior)
  expect_match(text[["sd"]], "a ~ Exp(1), b ~", fixed = TRUE)
  expect_match(text[["heterogeneity"]], "cor fixed at 0.5")
  expect_output(print(resolve_prior(NULL, s, "raw")), "Exponential.*scaled with the data")
})

test_that("a lognormal of sds by its name scales with the data", {
  prior <- resolved_prior(s, sd = "lognormal")
  expect_identical(prior$sd$family, rep("lognormal", 2))
  expect_equal(prior$sd$parameters[, 1], log(vapply(iris[k], sd, 0)))
  expect_equal(unname(prior$sd$parameters[, 2]), c(1, 1))
  expect_true(all(prior$default$sd))
  framed <- resolved_prior(s, sd = "lognormal", frame = "pooled")
  expect_equal(unname(framed$sd$parameters[, 1:2]), cbind(c(0, 0), 1))
  expect_match(format(hmvn_prior(sd = "lognormal"))[["sd"]], "lognormal(log(sd)", fixed = TRUE)
  expect_error(hmvn_prior(sd = "gamma"), class = "hmvn_error_prior")
  # nothing to scale with
  one <- hmvn_statistics(data.frame(g = "a", x = 1), "g")
  expect_error(resolved_prior(one, sd = "lognormal"), class = "hmvn_error_prior")
})
