rows <- with_fixed_seed(9, {
  n <- 400
  d <- data.frame(
    g = sample(c("a", "b", "c"), n, TRUE), x = rnorm(n), y = rexp(n), age = runif(n, 20, 80),
    site = sample(c("N", "S"), n, TRUE), w = sample(0:2, n, TRUE), v = runif(n)
  )
  d$x[1:90] <- NA
  d$y[61:130] <- NA
  d$age[200:210] <- NA
  d
})
rows$g[1:200] <- "a" # other groups come later

in_chunks <- function(data, size) {
  at <- 0
  function(reset = FALSE) {
    if (reset) at <<- 0
    if (reset || at >= nrow(data)) {
      return(NULL)
    }
    chunk <- data[seq(at + 1, min(at + size, nrow(data))), ]
    at <<- at + size
    chunk
  }
}

test_that("chunks give the statistics of the whole", {
  for (size in c(1, 60, 130, 1000)) {
    expect_same_to(
      hmvn_statistics(in_chunks(rows, size), ~g, ~ x + y), hmvn_statistics(rows, ~g, ~ x + y), 1e-12
    )
  }
  source <- in_chunks(rows, 150)
  first <- hmvn_statistics(source, ~g, ~ x + y)
  expect_identical(hmvn_statistics(source, ~g, ~ x + y), first)
  once <- in_chunks(rows, 150)
  expect_identical(hmvn_statistics(function() once(), ~g, ~ x + y), first)
})

test_that("weights are spoken of once, of all rows", {
  for (name in c("w", "v")) {
    said <- character()
    withCallingHandlers(
      ours <- hmvn_statistics(in_chunks(rows, 70), ~g, ~ x + y, weights = name),
      hmvn_message = function(m) {
        said <<- c(said, conditionMessage(m))
        invokeRestart("muffleMessage")
      }
    )
    theirs <- NULL
    expect_message(theirs <- hmvn_statistics(rows, ~g, ~ x + y, weights = name), said, fixed = TRUE)
    expect_length(said, 1)
    expect_same_to(ours, theirs, 1e-12)
  }
})

test_that("covariates are made as in the first chunk", {
  with_levels <- transform(rows, site = factor(site, levels = c("N", "S")))
  with_levels$site[1:100] <- "N"
  for (formula in list(~age, ~ age * site, ~ log(age) + I(age^2))) {
    expect_same_to(
      hmvn_statistics(in_chunks(rows, 90), ~g, ~ x + y, covariates = formula),
      hmvn_statistics(rows, ~g, ~ x + y, covariates = formula), 1e-12
    )
  }
  expect_same_to(
    hmvn_statistics(in_chunks(with_levels, 90), ~g, ~y, covariates = ~ age * site),
    hmvn_statistics(with_levels, ~g, ~y, covariates = ~ age * site), 1e-12
  )
  later <- transform(with_levels, site = as.character(site))
  later$site[1:50] <- "S"
  later$site[300] <- "Z"
  failed <- tryCatch(
    hmvn_statistics(in_chunks(later, 100), ~g, ~y, covariates = ~site),
    hmvn_error_covariates = identity
  )
  expect_match(conditionMessage(failed), "chunk 3")
  for (formula in list(~ poly(age, 2), ~ scale(age), ~ splines::ns(age, 3))) {
    expect_error(
      hmvn_statistics(in_chunks(rows, 90), ~g, ~y, covariates = formula),
      class = "hmvn_error_covariates"
    )
  }
})

test_that("chunks without a used row are counted, and features are those of the first", {
  gaps <- rows
  gaps[101:200, "age"] <- NA
  gaps[301:350, c("x", "y")] <- NA
  expect_same_to(
    hmvn_statistics(in_chunks(gaps, 50), ~g, ~ x + y, covariates = ~age),
    hmvn_statistics(gaps, ~g, ~ x + y, covariates = ~age), 1e-12
  )
  chunks <- list(rows[1:50, c("g", "x", "y")], transform(rows[51:99, c("g", "x", "y")], z = 1))
  source <- function() {
    chunk <- chunks[1][[1]]
    chunks <<- chunks[-1]
    chunk
  }
  expect_message(s <- hmvn_statistics(source, ~g), class = "hmvn_message_features")
  expect_identical(s$features, c("x", "y"))
  logical <- transform(rows, x = ifelse(seq_len(400) <= 100, NA, x))
  parts <- list(transform(logical[1:100, ], x = NA), logical[101:400, ])
  source <- function() {
    part <- parts[1][[1]]
    parts <<- parts[-1]
    part
  }
  expect_same_to(
    hmvn_statistics(source, ~g, ~ x + y), hmvn_statistics(logical, ~g, ~ x + y), 1e-12
  )
})

test_that("what is no source of chunks is refused, and errors say in which chunk", {
  expect_error(hmvn_statistics(function(x) x, ~g), class = "hmvn_error_data")
  expect_error(hmvn_statistics(function() NULL, ~g), class = "hmvn_error_data")
  expect_error(hmvn_statistics(function() 1, ~g, ~x), class = "hmvn_error_data")
  bad <- rows
  bad$x[250] <- Inf
  failed <- tryCatch(hmvn_statistics(in_chunks(bad, 100), ~g, ~x), hmvn_error_cells = identity)
  expect_match(conditionMessage(failed), "row 50.*chunk 3")
})

test_that("files are read one by one, or some lines at a time", {
  files <- file.path(tempfile(), c("1.csv", "2.csv"))
  dir.create(dirname(files[[1]]))
  written <- transform(rows, x = round(x, 6), y = round(y, 6))
  utils::write.csv(written[1:150, ], files[[1]], row.names = FALSE)
  utils::write.csv(written[151:400, ], files[[2]], row.names = FALSE)
  whole <- hmvn_statistics(written, ~g, ~ x + y)
  for (rows in list(NULL, 1000, 70, 7)) {
    source <- file_chunks(files, rows = rows)
    expect_same_to(hmvn_statistics(source, ~g, ~ x + y), whole, 1e-12)
    expect_same_to(hmvn_statistics(source, ~g, ~ x + y), whole, 1e-12)
  }
  skip_if_not_installed("data.table")
  source <- file_chunks(files, data.table::fread, rows = 90)
  expect_same_to(hmvn_statistics(source, ~g, ~ x + y), whole, 1e-12)
  expect_error(file_chunks("no such file"), class = "hmvn_error_argument")
  expect_error(file_chunks(files, read = "fread"), class = "hmvn_error_argument")
  expect_error(file_chunks(files, rows = 0), class = "hmvn_error_argument")
})

test_that("what would lose lines of each part is refused with rows", {
  file <- tempfile(fileext = ".csv")
  utils::write.table(rows[1:20, c("g", "v")], file, sep = ",", row.names = FALSE, col.names = FALSE)
  for (bad in list(list(header = FALSE), list(skip = 1), list(nrows = 3))) {
    error <- expect_error(
      rlang::inject(file_chunks(file, !!!bad, rows = 5)), class = "hmvn_error_argument"
    )
    expect_identical(error$argument, names(bad))
  }
  whole <- file_chunks(file, header = FALSE, nrows = 7)
  expect_identical(dim(whole()), c(7L, 2L))
  whole <- file_chunks(file, header = TRUE, rows = 50)
  expect_identical(nrow(whole()), 19L)
  expect_null(whole())
})

test_that("a fit takes chunks", {
  fit <- suppressWarnings(quietly(fit_hmvn(
    in_chunks(rows, 100), ~g, ~ x + y, chains = 1, iter_warmup = 20, iter_sampling = 20, seed = 1
  )))
  expect_null(fit$data)
  expect_equal(fit$statistics$n_rows, hmvn_statistics(rows, ~g, ~ x + y)$n_rows)
})
