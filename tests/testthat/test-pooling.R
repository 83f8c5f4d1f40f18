test_that("one string is for all blocks, names are for some", {
  expect_identical(resolve_pooling("partial"), pool("partial", "partial", "partial"))
  expect_identical(resolve_pooling(c(cor = "complete")), pool(cor = "complete"))
  expect_identical(
    resolve_pooling(list(sd = "partial", mean = "complete")), pool("complete", "partial")
  )
})

test_that("bad pooling is an error of its own class", {
  bad <- list(
    "parial", NA_character_, c("none", "partial"), c(means = "none"),
    c(mean = "none", mean = "partial"),
    NULL, 1, character(), list(mean = 1), c(mean = "none", "partial")
  )
  for (x in bad) expect_error(resolve_pooling(x), "pooling", class = "hmvn_error_pooling")
  expect_error(resolve_pooling("parial"), "Did you mean.*partial")
})
