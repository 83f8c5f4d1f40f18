# A fit in a file is used while it is what would be fitted, and is never lost.

kept <- function(file, ...) {
  said <- list(
    data = iris, group = ~Species, features = ~ Sepal.Length + Petal.Length, chains = 1, seed = 5,
    iter_warmup = 50, iter_sampling = 50
  )
  new <- list(...)
  said[names(new)] <- new
  suppressWarnings(suppressMessages(
    rlang::inject(fit_hmvn(!!!said, file = file)), classes = "hmvn_message_prior_conflict"
  ))
}

# What is said about the file first.
said_of_file <- function(code) {
  said <- NULL
  withCallingHandlers(code, hmvn_message_file = function(cnd) {
    said <<- said %||% cnd
    invokeRestart("muffleMessage")
  })
  said
}
new_path <- function() tempfile("fit-", fileext = ".rds")
contents <- function(file) readBin(file, "raw", file.size(file))

test_that("a fit is written once, told where, and read as it was", {
  file <- tempfile("fit-")
  expect_message(first <- kept(file), "kept in.*[.]rds", class = "hmvn_message_file")
  written <- paste0(file, ".rds")
  expect_identical(readRDS(written)$draws, first$draws)
  before <- contents(written)
  expect_message(second <- kept(file, cores = 2), "is used", class = "hmvn_message_file")
  expect_identical(second$draws, first$draws)
  expect_identical(contents(written), before)
  # nothing is left beside it
  expect_length(list.files(dirname(file), basename(file), all.files = TRUE), 1)
  # what needs the rows has them
  expect_identical(dim(residuals(second)), c(150L, 2L))
})

test_that("all that decides a fit is compared, and nothing else", {
  file <- new_path()
  quietly(kept(file))
  same <- list(list(cores = 2), list(progress = FALSE), list(group = "Species"))
  for (change in same) {
    said <- said_of_file(rlang::inject(kept(file, file_refit = "never", !!!change)))
    expect_identical(said$changed, character())
  }
  changes <- list(
    seed = list(seed = 6), chains = list(chains = 2),
    prior = list(prior = hmvn_prior(cor = dist_lkj(3))),
    pooling = list(pooling = "complete"), data = list(data = iris[-1, ]), thin = list(thin = 2),
    adapt_delta = list(adapt_delta = 0.8), iter_warmup = list(iter_warmup = 60),
    iter_sampling = list(iter_sampling = 40), keep = list(keep = "mu"), init = list(init = 1),
    algorithm = list(algorithm = "nuts"), prior_only = list(prior_only = TRUE),
    max_treedepth = list(max_treedepth = 9), keep_state = list(keep_state = FALSE),
    keep_data = list(keep_data = FALSE)
  )
  before <- contents(file)
  for (name in names(changes)) {
    said <- said_of_file(rlang::inject(kept(file, file_refit = "never", !!!changes[[name]])))
    expect_true(name %in% said$changed, label = name)
    # defaults of priors follow the data
    expect_true(all(said$changed %in% c(name, if (name == "data") "prior")), label = name)
  }
  expect_identical(contents(file), before)
  fit <- readRDS(file)
  fit$version <- "0.0.1"
  saveRDS(fit, file)
  expect_identical(said_of_file(kept(file, file_refit = "never"))$changed, "version")
})

test_that("on change the fit is another one; always is always; never is never, and says so", {
  file <- new_path()
  first <- quietly(kept(file))
  expect_message(
    second <- kept(file, seed = 6, thin = 2), "thin and seed changed", class = "hmvn_message_file"
  )
  expect_identical(second$control$seed, 6)
  expect_identical(readRDS(file)$draws, second$draws)
  expect_message(third <- kept(file, file_refit = "never"), "seed", class = "hmvn_message_file")
  expect_identical(third$draws, second$draws)
  expect_message(
    kept(file, seed = 6, thin = 2, file_refit = "always"), "always", class = "hmvn_message_file"
  )
})

test_that("without a seed the fit is used with its own, which is told", {
  file <- new_path()
  set.seed(1)
  first <- quietly(kept(file, seed = NULL))
  expect_message(
    second <- kept(file, seed = NULL), as.character(first$control$seed), fixed = TRUE,
    class = "hmvn_message_file"
  )
  expect_identical(second$draws, first$draws)
})

test_that("where only more draws are asked for, the fit is extended", {
  file <- new_path()
  quietly(kept(file, pooling = "partial"))
  expect_message(
    longer <- kept(file, pooling = "partial", iter_sampling = 80), "Extending",
    class = "hmvn_message_file"
  )
  expect_same_outcome(longer, kept(NULL, pooling = "partial", iter_sampling = 80))
  expect_identical(readRDS(file)$draws, longer$draws)
  # with the time that the fit took
  longer$time$total <- 1000
  saveRDS(longer, file)
  expect_gt(quietly(kept(file, pooling = "partial", iter_sampling = 90))$time$total, 1000)
  # fewer are another fit
  quietly(kept(file, pooling = "partial", iter_sampling = 60))
  expect_same_outcome(readRDS(file), kept(NULL, pooling = "partial", iter_sampling = 60))
})

test_that("a fit that has lost parts is refused before it is compared, and stays", {
  file <- new_path()
  fit <- quietly(kept(file))
  for (part in c("statistics", "control", "draws")) {
    saveRDS(structure(unclass(fit)[names(fit) != part], class = "hmvn_fit"), file)
    before <- contents(file)
    for (refit in c("on_change", "never", "always")) {
      error <- expect_error(
        quietly(fit_hmvn(
          iris, ~Species, ~ Sepal.Length + Petal.Length, file = file, file_refit = refit
        )),
        class = "hmvn_error_fit"
      )
      expect_identical(as.list(conditionCall(error))[[1]], quote(fit_hmvn))
    }
    expect_identical(contents(file), before)
  }
})

test_that("update() does not write over the file of the fit", {
  file <- new_path()
  fit <- quietly(kept(file))
  before <- contents(file)
  changed <- suppressMessages(suppressWarnings(update(fit, seed = 9)))
  expect_identical(contents(file), before)
  expect_null(changed$call$file)
  other <- new_path()
  quietly(suppressWarnings(update(fit, seed = 9, file = other)))
  expect_identical(readRDS(other)$draws, changed$draws)
})

test_that("what is no fit, damaged or newer is refused before sampling, and stays as it is", {
  file <- new_path()
  fit <- quietly(kept(file))
  whole <- contents(file)
  refused <- function() {
    before <- contents(file)
    for (refit in c("on_change", "always", "never")) {
      expect_error(kept(file, file_refit = refit), class = "hmvn_error_file")
    }
    expect_identical(contents(file), before)
  }
  set.seed(4)
  for (size in c(0, 1, sample(length(whole), 10), length(whole) - 1)) {
    writeBin(whole[seq_len(size)], file)
    refused()
  }
  saveRDS(1:3, file)
  refused()
  fit$version <- "99.0"
  saveRDS(fit, file)
  refused()
})

test_that("folders are looked at before sampling, and what cannot be written is returned", {
  expect_error(kept(file.path(tempdir(), "none", "fit")), "none", class = "hmvn_error_file")
  expect_error(kept(""), class = "hmvn_error_argument")
  expect_error(kept(3), class = "hmvn_error_argument")
  expect_error(kept(new_path(), file_refit = "sometimes"), class = "hmvn_error_argument")
  folder <- tempfile("folder-")
  dir.create(folder)
  expect_warning(
    out <- with_replaced(
      "is_whole_gzip", function(path) FALSE,
      write_fit_file(list(1), file.path(folder, "a.rds"), NULL)
    ),
    "disk is full", class = "hmvn_warning_file"
  )
  expect_identical(out, list(1))
  expect_length(list.files(folder, all.files = TRUE, no.. = TRUE), 0)
})

test_that("a gzip file that was cut, even of its last bytes, is not whole", {
  file <- new_path()
  saveRDS(rnorm(1000), file)
  whole <- contents(file)
  expect_true(is_whole_gzip(file))
  for (missing in c(1, 4, 8, 500)) {
    writeBin(utils::head(whole, -missing), file)
    expect_false(suppressWarnings(is_whole_gzip(file)))
  }
})
