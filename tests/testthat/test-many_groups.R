# What grows with the groups must do so in C++ and in vectors: R functions are called as often for
# 2,000 groups as for 20.

grouped_rows <- function(G, n = 8, missing = 0.2) {
  with_fixed_seed(G, {
    data <- as.data.frame(
      matrix(rnorm(3 * G * n), ncol = 3, dimnames = list(NULL, c("x", "y", "z")))
    )
    data$g <- rep(paste0("group ", seq_len(G)), each = n)
    for (name in c("x", "y", "z")) data[[name]][runif(G * n) < missing] <- NA
  })
  data
}

test_that("checking, merging and summarising call R no more often for more groups", {
  inner <- c(
    "merge_moments_", "scaled_ranks_", "feature_scatter", "pooled_moments", "summarise_groups_",
    "summarise_array_",
    "packed_names", "safe_labels", "quantity_names", "key_labels"
  )
  calls <- lapply(c(20, 2000), function(G) {
    data <- grouped_rows(G)
    fit <- fake_fit(G = G, K = 3, iter = 5, labels = unique(data$g))
    count_calls(inner, {
      s <- hmvn_statistics(data, ~g, ~ x + y + z)
      prior <- resolve_prior(hmvn_prior(), s, "raw")
      for (cor in pooling_levels) check_propriety(s, prior, resolve_pooling(c(cor = cor)))
      merged <- c(s, s)
      diagnose(fit)
      summary(fit)
      capture.output(print(fit), print(s))
    })
  })
  expect_identical(calls[[2]], calls[[1]])
  expect_gt(min(calls[[1]]), 0)
})

test_that("what the sampler reports of a group is of that group, of many drawn by one job", {
  data <- grouped_rows(1500, missing = 0)[c("g", "x", "y")]
  # the only one that has a warm-up, far from the middle
  odd <- 7L
  data$x[data$g == paste("group", odd)][1:2] <- NA
  fit <- short_fit(data, group = ~g, iter_warmup = 30, iter_sampling = 20, chains = 2)
  at <- match(paste("group", odd), fit$statistics$labels)
  expect_identical(which(fit$units$algorithm != "exact"), at)
  expect_identical(
    unname(which(fit$units$iter_warmup == 30, arr.ind = TRUE)), cbind(c(at, at), 1:2)
  )
})

test_that("a fit of 2,000 groups is that of its groups, chunk by chunk", {
  data <- grouped_rows(2000, missing = 0)
  fit <- short_fit(data, group = ~g, iter_warmup = 30, iter_sampling = 20, algorithm = "nuts")
  chunks <- group_chunks(fit)
  expect_identical(unlist(chunks), seq_len(2000))
  # every group has been sampled
  s <- summary(fit)
  expect_gt(min(s$sd), 0)
  expect_equal(nrow(s), 2000 * (3 + 3 + 3 + 6) + 2) # and lp__, lprior
  for (label in c("group 1", "group 777", "group 2000")) {
    own <- summary(fit, group = label)
    expect_equal(own, s[s$group %in% label, ], ignore_attr = TRUE)
    draws <- as_draws_array(fit, variable = "Omega", group = label)
    name <- paste0("Omega[", gsub(" ", "_", label), ",y,x]")
    expect_equal(own$mean[own$variable == name], mean(draws[, , name]))
  }
  # as groups are cut into chunks of any size
  whole <- summarise_groups_(fit$draws$chol, 3L, 1:2000, "Sigma", 0.5, 1L)
  cut <- split(1:2000, (1:2000 - 1) %/% 300)
  pieces <- lapply(cut, function(g) summarise_groups_(fit$draws$chol, 3L, g, "Sigma", 0.5, 1L))
  expect_identical(do.call(rbind, unname(pieces)), whole)
  expect_identical(summarise_groups_(fit$draws$chol, 3L, 1:2000, "Sigma", 0.5, 2L), whole)
  built <- derive_quantity_(fit$draws$chol, 3L, 1:2000, "Sigma", TRUE)
  expect_identical(summarise_array_(built, 0.5, 1L), whole)
})

test_that("chunks of groups take bounded memory and leave none out", {
  fit <- fake_fit(G = 2, K = 3, iter = 10)
  fit$statistics <- fake_statistics(as.character(1:50000), paste0("x", 1:3), "g", 1)
  fit$draws$lp <- array(0, c(1000, 4, 1))
  chunks <- group_chunks(fit)
  expect_identical(unlist(chunks), 1:50000)
  # 12 numbers of 8 bytes a group and draw: 3 means, 3 sds, 6 of the factor
  expect_lte(max(lengths(chunks)) * 4000 * 8 * 12, 2^26)
})
