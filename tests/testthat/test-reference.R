# Agreement with independent reference posteriors at the default settings: every mean and every sd,
# within |z| < qnorm(1 - 0.0005 / m).

for (algorithm in c("nuts", "direct")) {
  test_that(paste(
    "the original question's two models agree with the reference (a, b):", algorithm
  ), {
    for (case in c("a_seed_none", "b_seed_mean_none_cov_complete")) {
      expect_agreement(reference_fit(case, seed = 1, cores = 2, algorithm = algorithm), case)
    }
  })

  test_that(paste("iris, unpooled, agrees with the reference (c):", algorithm), {
    expect_agreement(
      reference_fit("c_iris_none", seed = 1, cores = 2, algorithm = algorithm), "c_iris_none"
    )
  })
}

test_that("iris, partially pooled, agrees with the reference (d)", {
  expect_agreement(reference_fit("d_iris_partial", seed = 1, cores = 2), "d_iris_partial")
})

test_that("25 uneven groups agree with the reference (e)", {
  expect_agreement(reference_fit("e_schools_partial", seed = 1, cores = 2), "e_schools_partial")
})

test_that("25 uneven groups with missing cells agree with the reference (f)", {
  expect_agreement(
    reference_fit("f_schools_na_partial", seed = 1, cores = 2), "f_schools_na_partial"
  )
})

test_that("trivial noise and another seed change no answer", {
  set.seed(1)
  noise <- matrix(rnorm(600), 150) * 1e-12
  noisy <- replace(iris, 1:4, iris[1:4] * (1 + noise))
  fits <- suppressMessages(list(
    fit_hmvn(iris, ~Species, seed = 1), fit_hmvn(noisy, ~Species, seed = 1),
    fit_hmvn(iris, ~Species, seed = 2)
  ))
  found <- lapply(fits, summary, variable = c("mu", "sigma", "Omega"))
  for (other in found[-1]) {
    error <- sqrt(found[[1]]$sd^2 / found[[1]]$ess_bulk + other$sd^2 / other$ess_bulk)
    z <- abs(found[[1]]$mean - other$mean) / error
    # 42 differences: one run of a thousand exceeds it
    expect_lt(max(z), qnorm(1 - 0.001 / (2 * length(z))))
  }
})
