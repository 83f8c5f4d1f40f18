set.seed(100)
parts <- data.frame(g = rep(c("a", "b"), each = 40), x = runif(80, 10, 30), y = runif(80, 10, 30))
parts$z <- 100 - parts$x - parts$y + rnorm(80, 0, 0.005)
parts$other <- rnorm(80)
said_of <- function(data) nearly_singular(hmvn_statistics(data, "g", setdiff(names(data), "g")))

test_that("parts of a whole are named, with their sum and its sd", {
  found <- said_of(parts)
  expect_identical(found$features, c("x", "y", "z"))
  # weights are known to the sum's sd over that of a part, and the sum's sd to 1 / sqrt(2 n)
  expect_lt(max(abs(found$weights - 1)), z_bound(3) * 0.005 / sd(parts$x) / sqrt(78))
  expect_lt(abs(found$sd / 0.005 - 1), z_bound(1) / sqrt(2 * 76))
  expect_lt(abs(found$mean - 100), 0.01)
})

test_that("a ratio is told in raw units, whatever units and offsets", {
  d <- transform(parts, z = 1e6 + 250 * x + rnorm(80, 0, 0.1))
  found <- said_of(d)
  expect_identical(found$features, c("x", "z"))
  expect_match(combination_text(found$weights), "^x - 0.004 z$")
})

test_that("ordinary and strong correlations, few rows and constants are not", {
  expect_null(said_of(parts[-4]))
  expect_null(said_of(transform(parts, z = x + rnorm(80, 0, 0.02))))
  expect_null(said_of(parts[1:4, ]))
  expect_null(said_of(transform(parts, z = 5)))
  expect_null(said_of(parts[1:2]))
})

test_that("means that differ by group do not hide it, and complete rows decide", {
  d <- transform(parts, z = z + 50 * (g == "b"))
  expect_identical(said_of(d)$features, c("x", "y", "z"))
  d$other[1:60] <- NA
  expect_identical(said_of(d)$features, c("x", "y", "z"))
  d$other[1:78] <- NA
  expect_null(said_of(d))
})

test_that("the fit says it before sampling, keeps it and prints it", {
  expect_message(
    fit <- fit_hmvn(parts, ~g, ~ x + y + z, iter_sampling = 200, seed = 1),
    "x [+] y [+] z", class = "hmvn_message_nearly_singular"
  )
  expect_match(fit$warnings[["nearly_singular"]], "about 100.", fixed = TRUE)
  page <- paste(capture.output(fit), collapse = " ")
  expect_match(page, "Nearly singular data", fixed = TRUE)
  expect_identical(combination_text(c(x = -1, y = 0.5)), "x - 0.5 y")
  expect_match(combination_text(stats::setNames(rep(1, 9), letters[1:9])), "f and so on (3 more)",
    fixed = TRUE
  )
})
