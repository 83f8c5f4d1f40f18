test_that("names are trimmed in their middle to a width, and differ as before", {
  expect_identical(trim_names(c("short", strrep("x", 16)), 16), c("short", strrep("x", 16)))
  expect_identical(trim_names("0123456789abcdefg", 16), "0123456...bcdefg")
  # told apart by beginning, end, or only by their middle
  for (names in list(
    paste0(c("a", "b"), strrep("x", 30)), paste0(strrep("x", 30), c("a", "b")),
    paste0(strrep("x", 12), letters, strrep("x", 12)),
    paste0(strrep("x", 8), 1:200, strrep("x", 30)),
    c("abcdefghijklmnopqrst", "abcdefghijklm...opqrst", "a...t")
  )) {
    for (width in c(6, 9, 16)) {
      shown <- trim_names(names, width)
      expect_lte(max(text_width(shown)), width)
      expect_identical(anyDuplicated(shown), 0L)
    }
  }
  # the same name is shown the same
  twice <- rep(paste0(strrep("x", 30), c("a", "b")), 2)
  expect_identical(trim_names(twice, 10)[1:2], trim_names(twice, 10)[3:4])
})

test_that("names that fit are left alone, however much room there is", {
  # not one step for every column of the room
  expect_identical(trim_names(c("a", "b"), 1e12), c("a", "b"))
})

test_that("widths are those of the screen, not numbers of letters", {
  wide <- strrep("\u65E5", 12)
  expect_lte(text_width(trim_names(wide, 16)), 16)
  expect_lte(text_width(trim_end(wide, 9)), 9)
  expect_identical(
    trim_end(c("abcd", "abcdefghij", "abcdefghijk"), 10)[1:2], c("abcd", "abcdefghij")
  )
})

test_that("pairs of long names differ as the names do", {
  features <- paste0("Sepal.measurement.", c("Length", "Width", "Colour"), ".cm")
  pairs <- trim_pairs(features, c(1, 1, 2), c(2, 3, 3), 16)
  expect_lte(max(text_width(pairs)), 16)
  expect_identical(anyDuplicated(pairs), 0L)
  expect_identical(trim_pairs(c("x", "y"), 1, 2, 16), "x~y")
})

test_that("counts and articles fit their nouns", {
  expect_identical(count_of(1, "row"), "1 row")
  expect_identical(count_of(0, "row"), "0 rows")
  expect_identical(count_of(12345, "row"), "12,345 rows")
  expect_identical(with_article("integer"), "an integer")
  expect_identical(describe_value(1:3), "an integer vector of length 3")
  expect_identical(describe_value(matrix(TRUE, 2, 2)), "a logical array of length 4")
})
