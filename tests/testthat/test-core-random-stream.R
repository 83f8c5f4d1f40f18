test_that("streams are uniform and normal", {
  draws <- inspect_stream_(1, 2, 3, 1e5)
  p <- c(ks.test(draws[, 1], "punif")$p.value, ks.test(draws[, 2], "pnorm")$p.value,
         # neighbours are independent, in size too
         cor.test(draws[-1, 2], draws[-nrow(draws), 2])$p.value,
         cor.test(draws[-1, 2]^2, draws[-nrow(draws), 2]^2)$p.value)
  expect_gt(min(p.adjust(p, "holm")), 0.001)
  expect_true(all(draws[, 1] > 0 & draws[, 1] < 1))
})

test_that("normals are normal in every layer of the ziggurat and far into its tails", {
  skip_on_cran()
  z <- inspect_stream_(4, 5, 6, 2e7)[, 2]
  n <- length(z)
  # Bins finer than layers, which end at 3.654 with the tail beyond; both signs
  edges <- sort(
    c(
      -Inf, Inf, 0,
      outer(c(-1, 1), c(seq(0.02, 3.6, 0.02), 3.6541528853610088, 3.7, 3.8, 3.9, 4, 4.2, 4.5))
    )
  )
  counts <- tabulate(findInterval(z, edges), length(edges) - 1)
  p <- c(
    chisq.test(counts, p = diff(pnorm(edges)))$p.value,
    vapply(
      c(3.5, 3.66, 4, 4.5, 5), function(at) binom.test(sum(abs(z) > at), n, 2 * pnorm(-at))$p.value,
      double(1)
    ),
    ks.test(pnorm(-3.5, log.p = TRUE) - pnorm(-abs(z[abs(z) > 3.5]), log.p = TRUE), "pexp")$p.value
  )
  expect_gt(min(p.adjust(p, "holm")), 0.001)
  moments <- c(mean(z), mean(z^2) - 1, mean(z^3), mean(z^4) - 3) / sqrt(c(1, 2, 15, 96) / n)
  expect_lt(max(abs(moments)), z_bound(4))
})

test_that("gamma draws have their distribution, for shapes below and above 1", {
  shapes <- c(0.05, 0.5, 1, 1.5, 7, 500)
  p <- vapply(
    shapes, function(shape) ks.test(inspect_gamma_(1, shape, 1e5), "pgamma", shape)$p.value,
    double(1)
  )
  expect_gt(min(p.adjust(p, "holm")), 0.001)
})

test_that("streams depend on seed, unit and chain, and on nothing else", {
  first <- function(...) inspect_stream_(..., n = 3)[, 1]
  expect_identical(first(1, 2, 3), first(1, 2, 3))
  streams <- rbind(
    first(1, 2, 3), first(2, 2, 3), first(1, 3, 3), first(1, 2, 4), first(1, 3, 2),
    first(2^52, 2, 3)
  )
  expect_equal(anyDuplicated(streams[, 1]), 0)
})
