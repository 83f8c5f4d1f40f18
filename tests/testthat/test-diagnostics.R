bad_fit <- function() {
  fit <- fake_fit(G = 3, K = 2, iter = 500)
  fit$units$divergent[2, ] <- c(5L, 0L, 1L, 0L)
  fit$units$divergent[3, 1] <- 2L
  fit$units$max_treedepth[1, 1] <- 40L
  fit$units$ebfmi[2, 4] <- 0.2
  fit$draws$mean[, 1, 3] <- fit$draws$mean[, 1, 3] + 5 # mu[B,x1]
  fit
}

all_warnings <- function(fit) {
  seen <- list()
  kept <- withCallingHandlers(sampler_warnings(fit), warning = function(w) {
    seen[[length(seen) + 1]] <<- w
    invokeRestart("muffleWarning")
  })
  list(
    kept = kept, classes = vapply(seen, function(w) class(w)[1], ""),
    text = vapply(seen, conditionMessage, "")
  )
}

test_that("a good fit warns of nothing", {
  expect_silent(kept <- sampler_warnings(fake_fit(iter = 500)))
  expect_length(kept, 0)
  expect_type(kept, "character")
})

test_that("each problem has its class, count, percentage and place", {
  w <- all_warnings(bad_fit())
  expect_equal(
    w$classes, paste0("hmvn_warning_", c("divergences", "treedepth", "ebfmi", "rhat", "ess"))
  )
  expect_equal(names(w$kept), c("divergences", "treedepth", "ebfmi", "rhat", "ess"))
  expect_equal(w$kept[["divergences"]], "8 of 6,000 (0.1%) transitions ended with a divergence.")
  expect_match(w$text[1], "In 2 of 3 groups, most in B (6), C (2).", fixed = TRUE)
  expect_match(
    w$kept[["treedepth"]], "40 of 6,000 (0.7%) transitions hit the maximum tree depth of 10.",
    fixed = TRUE
  )
  expect_match(w$kept[["ebfmi"]], "1 of 12 (8.3%)", fixed = TRUE)
  expect_match(w$kept[["rhat"]], "1 of 16 (6.2%) quantities has an R-hat above 1.05", fixed = TRUE)
  expect_match(w$text[4], "of mu[B,x1]", fixed = TRUE)
  expect_snapshot(invisible(sampler_warnings(bad_fit())))
})

test_that("everything stored is looked at once, and constants never raise", {
  fit <- fake_fit(G = 2, K = 3, pooling = "partial", iter = 200)
  fit$draws$h_mean[] <- 0.5
  d <- diagnose(fit)
  expect_equal(
    as.vector(
      table(d$quantity)[c(
        "mu", "sigma", "Omega", "mu0", "sigma0", "Omega0", "h_mean", "h_cor", "lp__"
      )]
    ),
    c(6, 6, 6, 3, 3, 3, 3, 1, 1)
  )
  expect_true(all(is.na(d$rhat[d$quantity == "h_mean"])))
  expect_false("rhat" %in% names(all_warnings(fit)$kept))
  s <- summary(fit)
  names <- vapply(seq_len(nrow(d)), function(i) stored_name(fit, d$quantity[i], d$element[i]), "")
  expect_equal(d$rhat, s$rhat[match(names, s$variable)])
  # shared values are stored, and counted, once
  expect_equal(nrow(diagnose(fake_fit(G = 5, K = 2, pooling = "complete"))), 2 + 2 + 1 + 1)
  expect_equal(nrow(diagnose(fake_fit(G = 5, K = 1, pooling = "none"))), 11)
})

test_that("too little ESS is relative to the number of chains", {
  expect_true("ess" %in% names(all_warnings(fake_fit(iter = 60))$kept))
})

test_that("draws that are not finite are reported, labels with braces included", {
  fit <- fake_fit(labels = c("{A}", "B"), iter = 500)
  fit$draws$mean[3, 2, 1] <- Inf
  w <- all_warnings(fit)
  expect_equal(w$classes, "hmvn_warning_nonfinite")
  expect_match(w$text, "mu[{A},x1]", fixed = TRUE)
})

test_that("independent draws are not looked at for convergence, others are", {
  fit <- bad_fit()
  fit$units$divergent[] <- fit$units$max_treedepth[] <- 0L
  fit$units$ebfmi[] <- NA
  fit$units$algorithm <- rep("exact", 3)
  expect_silent(kept <- sampler_warnings(fit))
  expect_length(kept, 0)
  fit$units$algorithm <- c("direct", "exact", "nuts") # the second group is the bad one
  expect_length(all_warnings(fit)$kept, 0)
  fit$units$algorithm <- c("exact", "nuts", "exact")
  w <- all_warnings(fit)
  expect_match(w$text[1], "of mu[B,x1]", fixed = TRUE)
  # two means, two sds, one correlation, lp__
  expect_match(w$kept[["rhat"]], "1 of 6", fixed = TRUE)
  fit$units$algorithm <- rep("exact", 3)
  fit$draws$lp[2, 1, 1] <- NaN
  expect_match(
    all_warnings(fit)$kept[["nonfinite"]], "1 of 2,000 draws is not finite", fixed = TRUE
  )
})

test_that("nuts_params() and log_posterior() have bayesplot's columns", {
  skip_if_not_installed("bayesplot")
  fit <- fake_fit(iter = 10)
  np <- bayesplot::nuts_params(fit)
  expect_equal(names(np), c("Chain", "Iteration", "Parameter", "Value"))
  expect_equal(
    levels(np$Parameter),
    c("accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__", "divergent__", "energy__")
  )
  expect_equal(np$Value[np$Parameter == "energy__" & np$Chain == 2], fit$sampler$energy[, 2])
  expect_equal(unique(bayesplot::nuts_params(fit, pars = "energy__")$Parameter), factor("energy__"))
  lp <- bayesplot::log_posterior(fit)
  expect_equal(lp$Value[lp$Chain == 3 & lp$Iteration == 4], fit$draws$lp[4, 3, 1])
  expect_s3_class(bayesplot::mcmc_nuts_energy(np), "ggplot")
})
