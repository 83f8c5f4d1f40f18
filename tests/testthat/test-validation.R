# A short simulation-based calibration (the long one, with its saved results, is in
# inst/validation): ranks of true values among the draws are uniform, hyperparameters, groups,
# log-likelihood and log-prior alike.

source(system.file("validation", "sbc.R", package = "hmvn"), local = TRUE)

calibrate <- function(name, simulations = 100, K = 2) {
  variant <- sbc_variants()[[name]]
  if (!is.null(variant$family)) {
    variant$family <- variant$family[seq_len(K)]
    variant$parameters <- variant$parameters[seq_len(K), ]
  }
  if (is.null(variant$sizes)) variant$sizes <- c(2, 5, 10)
  result <- do.call(rbind, lapply(seq_len(simulations), function(i) {
    simulate_once(variant, i, K = K, draws = 49, thin = 4)
  }))
  p <- sbc_p_values(result, draws = 49, bins = 10)
  expect_gt(min(p.adjust(p, "holm")), 0.001, label = paste(name, names(which.min(p))))
}

test_that("unpooled and completely pooled posteriors are calibrated", {
  calibrate("none")
  calibrate("complete")
})

test_that("direct sampling is calibrated, by rejection and by independence steps", {
  calibrate("direct")
  calibrate("exact")
  calibrate("exact_families", K = 3)
  calibrate("steps", K = 3)
})

test_that("partially pooled posteriors are calibrated", {
  calibrate("partial")
})

test_that("a mixture of poolings and priors is calibrated", {
  calibrate("mixed")
})

test_that("posteriors with missing cells are calibrated", {
  calibrate("missing")
})

test_that("covariances between groups and slopes on covariates are calibrated", {
  calibrate("between")
  calibrate("slopes_partial")
})

test_that("probabilities of compare_groups() are frequencies", {
  source(system.file("validation", "comparison_calibration.R", package = "hmvn"), local = TRUE)
  variant <- comparison_variants()$none
  result <- do.call(rbind, lapply(1:200, compare_once, variant = variant))
  expect_gt(min(p.adjust(comparison_p_values(result, 5), "holm")), 0.001)
  # probabilities that are too sure of themselves are found
  surer <- result
  surer$p <- plogis(2 * qlogis(pmin(pmax(result$p, 1e-3), 1 - 1e-3)))
  expect_lt(min(p.adjust(comparison_p_values(surer, 5), "holm")), 0.001)
})

test_that("every fault that can be planted has a place in the sources", {
  checkout <- file.path("..", "..")
  skip_if_not(dir.exists(file.path(checkout, "src", "hmvn")), "the sources are not there")
  planted <- new.env()
  sys.source(system.file("validation", "planted_faults.R", package = "hmvn"), planted)
  for (name in names(planted$faults)) {
    replacements <- planted$faults[[name]]$replacements
    for (file in names(replacements)) {
      text <- paste(readLines(planted$place_of(checkout, file)), collapse = "\n")
      expect_false(identical(planted$with_fault(text, replacements[[file]]), text), info = name)
    }
  }
})
