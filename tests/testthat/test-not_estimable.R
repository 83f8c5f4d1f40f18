set.seed(88)
d <- data.frame(g = rep(c("b", "a", "c"), c(9, 20, 20)), x = rnorm(49), y = rnorm(49))
d$y[d$g == "b"] <- 3
drop <- function(data, ..., not_estimable = "drop") {
  quietly(fit_hmvn(
    data, ..., chains = 2, iter_warmup = 100, iter_sampling = 50, seed = 1, progress = FALSE,
    not_estimable = not_estimable
  ))
}

test_that("one group does not stop the others: the fit is theirs, and says so", {
  expect_error(drop(d, ~g, not_estimable = "error"), class = "hmvn_error_improper")
  said <- expect_message(
    fit_hmvn(d, ~g, ~ x + y, iter_sampling = 50, seed = 1, not_estimable = "drop"),
    "b \\(y is constant\\)", class = "hmvn_message_not_estimable"
  )
  fit <- drop(d, ~g)
  others <- drop(d[d$g != "b", ], ~g)
  expect_identical(fit$draws, others$draws)
  expect_identical(fit$prior, others$prior)
  expect_identical(fit$statistics, others$statistics)
  expect_identical(fit$not_estimable, c(b = "y is constant"))
  expect_identical(others$not_estimable, character())
  expect_match(paste(capture.output(fit), collapse = " "), "Not estimable, left out: b (y is",
    fixed = TRUE
  )
  expect_length(residuals(fit), 80)
})

test_that("what is constant in a group is named together, what is collinear by itself", {
  two <- d
  two$z <- ifelse(two$g == "c", two$x - two$y, rnorm(49))
  two$w <- ifelse(two$g == "b", 0, rnorm(49))
  prior <- hmvn_prior(cor = dist_lkj(4))
  expect_identical(
    suppressWarnings(drop(two, ~g, ~ x + y + z + w, prior = prior))$not_estimable,
    c(b = "y, w are constant", c = "x, y, z are collinear")
  )
})

test_that("tables of all groups have rows of NA for those that were left out", {
  fit <- drop(d, ~g)
  means <- group_mean(fit)
  expect_identical(rownames(means), c("a", "c", "b"))
  expect_identical(means[1:2, ], group_mean(fit, c("a", "c")))
  expect_true(all(is.na(posterior::draws_of(means["b", ]))))
  expect_identical(dim(group_cor(fit)), c(3L, 2L, 2L))
  table <- summary(fit, variable = c("mu", "Omega"))
  own <- table[table$group == "b", ]
  expect_identical(own$variable, c("mu[b,x]", "mu[b,y]", "Omega[b,y,x]"))
  expect_true(all(is.na(own[c("mean", "sd", "q5", "rhat", "ess_bulk")])))
  expect_identical(unclass(table[table$group != "b", ]$mean),
                   summary(fit, variable = c("mu", "Omega"), group = c("a", "c"))$mean)
  expect_identical(summary(fit, variable = "lp__")$quantity, "lp__")
})

test_that("a group that was left out is told from one that never was", {
  fit <- drop(d, ~g)
  expect_error(group_mean(fit, "b"), "left out: b \\(y is constant\\)", class = "hmvn_error_group")
  error <- expect_error(group_mean(fit, "z"), class = "hmvn_error_group")
  expect_no_match(conditionMessage(error), "left out")
})

test_that("factor groups, statistics and update() leave out the same", {
  fit <- drop(d, ~g)
  expect_identical(drop(transform(d, g = factor(g)), ~g)$draws, fit$draws)
  s <- hmvn_statistics(d, ~g, ~ x + y)
  of_statistics <- drop(s)
  expect_identical(of_statistics$draws, fit$draws)
  expect_identical(of_statistics$statistics$n_rows, 40)
  expect_error(drop(hmvn_statistics(transform(d, w = 2), ~g, ~ x + y, ~w)),
    class = "hmvn_error_argument"
  )
  again <- quietly(update(fit))
  expect_identical(again$draws, fit$draws)
  expect_identical(again$not_estimable, fit$not_estimable)
  healed <- quietly(update(fit, data = transform(d, y = y + x^2)))
  expect_identical(healed$not_estimable, character())
})

test_that("where no group is left, or it is not a matter of groups, it is an error", {
  expect_error(drop(d[d$g == "b", ], ~g, ~ x + y, prior = hmvn_prior(
    distributional::dist_normal(0, 1), distributional::dist_exponential(1)
  )), class = "hmvn_error_improper")
  line <- transform(d, y = 2 * x)
  expect_error(drop(line, ~g, pooling = "complete"), class = "hmvn_error_improper")
})

test_that("a lognormal prior by its name estimates a constant feature", {
  fit <- suppressMessages(fit_hmvn(
    d, ~g, ~y, prior = hmvn_prior(sd = "lognormal"), seed = 1, progress = FALSE, chains = 2
  ))
  expect_gt(min(summary(fit, "sigma")$ess_bulk), 500)
  # nine equal rows: log sigma is normal about log(sd) - 8, with sd 1, but for the prior of the mean
  log_sigma <- log(posterior::draws_of(group_sd(fit)["b", "y"]))
  z <- (mean(log_sigma) - log(sd(d$y)) + 8) * sqrt(posterior::ess_mean(log_sigma))
  expect_lt(abs(z), z_bound(1))
})
