direct_case <- function(K = 3, ...) core_case(K, sizes = c(30, 45), ...)

direct_fit <- function(case, ..., algorithm = "direct") {
  model <- case$model
  families <- list(
    exponential = function(p) distributional::dist_exponential(p[1]),
    normal = function(p) distributional::dist_truncated(distributional::dist_normal(p[1], p[2]), 0, Inf),
    student_t = function(p) distributional::dist_truncated(distributional::dist_student_t(p[1], p[2], p[3]), 0, Inf),
    gamma = function(p) distributional::dist_gamma(p[1], p[2])
  )
  sd <- lapply(seq_len(model$K), function(k) families[[model$family[k]]](model$parameters[k, ]))
  suppressWarnings(suppressMessages(fit_hmvn(
    case$data, group = ~ g, pooling = model$pooling, algorithm = algorithm, seed = 1, ...,
    prior = hmvn_prior(mean = distributional::dist_normal(0, 1), sd = do.call(c, sd), cor = dist_lkj(model$eta))
  )))
}

test_that("lp__ of direct draws is the log joint density written out in plain R", {
  for (pooling in list("none", c(sd = "complete", cor = "complete"))) {
    case <- direct_case(pooling = pooling)
    fit <- direct_fit(case, chains = 1, iter_sampling = 3)
    expect_true(all(fit$units$direct))
    one <- function(array, i, rows) matrix(array[i, 1, ], nrow = rows)[, rep_len(seq_len(length(array[i, 1, ]) / rows), 2)]
    for (i in 1:3) {
      draw <- list(
        mean = one(fit$draws$mean, i, 3), chol = one(fit$draws$chol, i, 6), mean0 = rep(0, 3),
        scale0 = rep(1, 3), chol_cor0 = c(1, 0, 1, 0, 0, 1), h_mean = rep(1, 3), h_sd = rep(1, 3), h_cor = 1
      )
      plain <- as_r_draw(draw, case)
      expect_equal(fit$draws$lprior[i, 1, 1], r_log_prior(case$model, plain), tolerance = 1e-9)
      expect_equal(fit$draws$lp[i, 1, 1] - fit$draws$lprior[i, 1, 1], r_log_likelihood(plain, case$data), tolerance = 1e-9)
    }
  }
})

test_that("direct sampling and NUTS draw from the same distribution, for every family they share", {
  cases <- list(
    direct_case(5, eta = 0.8, family = c("exponential", "normal", "student_t", "gamma", "exponential"),
                parameters = rbind(c(1, NA, NA), c(0, 1, NA), c(3, 0, 1), c(2, 2, NA), c(3, NA, NA))),
    direct_case(1), direct_case(3, pooling = c(sd = "complete", cor = "complete"), eta = 4)
  )
  for (case in cases) {
    direct <- posterior::as_draws_array(direct_fit(case, iter_sampling = 4000))
    nuts <- posterior::as_draws_array(direct_fit(case, algorithm = "nuts", iter_sampling = 2000, cores = 2))
    names <- grep("^(mu|sigma|Omega|lp__)", posterior::variables(direct), value = TRUE)
    z <- unlist(lapply(names, function(name) {
      x <- posterior::extract_variable_matrix(direct, name)
      y <- posterior::extract_variable_matrix(nuts, name)
      if (isTRUE(all.equal(var(as.vector(x)), 0))) return(NULL)
      c((mean(x) - mean(y)) / sqrt(posterior::mcse_mean(x)^2 + posterior::mcse_mean(y)^2),
        (sd(x) - sd(y)) / sqrt(posterior::mcse_sd(x)^2 + posterior::mcse_sd(y)^2))
    }))
    expect_lt(max(abs(z)), z_bound(length(z)))
  }
})

test_that("auto chooses by what applies and by trial acceptance, the same for all chains", {
  direct <- function(...) suppressWarnings(suppressMessages(
    fit_hmvn(..., chains = 2, iter_warmup = 50, iter_sampling = 20, seed = 1)
  ))$units$direct
  expect_true(all(direct(iris, ~ Species)))
  expect_false(direct(iris, ~ Species, pooling = c(mean = "partial")))
  expect_false(any(direct(iris, ~ Species, algorithm = "nuts")))
  expect_false(any(direct(iris, ~ Species, prior = hmvn_prior(sd = distributional::dist_lognormal(0, 1)))))
  holes <- iris
  holes[3, 2] <- NA
  expect_equal(direct(holes, ~ Species), c(FALSE, TRUE, TRUE))
  few <- iris[c(1:8, 51:100, 101:150), ]
  expect_equal(direct(few, ~ Species)[2:3], c(TRUE, TRUE))
})

test_that("asking for direct sampling where it does not apply is a classed error", {
  expect_error(
    fit_hmvn(iris, group = ~ Species, features = ~ Petal.Width, pooling = "partial", algorithm = "direct"),
    "direct sampling needs", class = "hmvn_error_sampling"
  )
})
