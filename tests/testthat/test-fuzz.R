# Random input for every export; inst/validation/fuzz.R tries more of it.

test_that("whatever an export is handed, it answers or refuses in our words", {
  material <- quietly(fuzz_material())
  n <- if (identical(Sys.getenv("NOT_CRAN"), "true")) 400 else 100
  found <- vapply(seq_len(n), function(i) {
    with_fixed_seed(i, fuzz_once(fuzz_call(material)))
  }, "")
  wrong <- which(!found %in% c("result", "refused", "not ours"))
  expect_identical(found[wrong], character(), label = paste("seed", toString(wrong)))
  # neither only sense nor only nonsense was tried
  expect_gt(mean(found == "result"), 0.1)
  expect_gt(mean(found == "refused"), 0.1)
})

test_that("no export is left out", {
  called <- sub("[.]hmvn_.*", "", names(fuzz_calls(quietly(fuzz_material()))))
  # of other packages, which no method of ours is called by
  foreign <- c("E", "Pr", "summarise_draws")
  exports <- getNamespaceExports("hmvn")
  exports <- exports[!grepl("^dist_", exports) | exports == "dist_lkj"]
  expect_setequal(setdiff(exports, called), foreign)
})
