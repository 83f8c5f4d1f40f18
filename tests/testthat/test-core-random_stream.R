test_that("streams are uniform and normal", {
  draws <- inspect_stream_(1, 2, 3, 1e5)
  p <- c(ks.test(draws[, 1], "punif")$p.value, ks.test(draws[, 2], "pnorm")$p.value,
         # the pairs of the polar method are independent
         cor.test(draws[-1, 2], draws[-nrow(draws), 2])$p.value,
         cor.test(draws[-1, 2]^2, draws[-nrow(draws), 2]^2)$p.value)
  expect_gt(min(p.adjust(p, "holm")), 0.001)
  expect_true(all(draws[, 1] > 0 & draws[, 1] < 1))
})

test_that("streams depend on seed, unit and chain, and on nothing else", {
  first <- function(...) inspect_stream_(..., n = 3)[, 1]
  expect_identical(first(1, 2, 3), first(1, 2, 3))
  streams <- rbind(first(1, 2, 3), first(2, 2, 3), first(1, 3, 3), first(1, 2, 4), first(1, 3, 2), first(2^52, 2, 3))
  expect_equal(anyDuplicated(streams[, 1]), 0)
})
