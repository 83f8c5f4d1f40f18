test_that("what a fit would keep is estimated and refused before memory is taken", {
  d <- data.frame(g = rep(1:3, each = 5), x = rnorm(15), y = rnorm(15))
  for (large in list(list(chains = 1e9), list(chains = 1e7), list(iter_sampling = 1e9))) {
    code <- function() do.call(fit_hmvn, c(list(d, ~g, ~ x + y), large))
    error <- expect_error(code(), "GB.*keep =.*thin", class = "hmvn_error_size")
    expect_gt(error$bytes, machine_bytes())
  }
  # thinned, or not kept, it is small
  settings <- function(...) fill_settings(list(...), formals(fit_hmvn))
  size_of <- function(G, K) c(labels = G, features = K, covariates = 0)
  thin <- settings(iter_sampling = 1e9, thin = 1e6)
  expect_silent(check_fit_size(size_of(3, 2), pool(), thin, NULL))
  expect_silent(check_fit_size(size_of(1e5, 10), pool(), settings(keep = character()), NULL))
})

test_that("the estimate is near what is kept", {
  for (pooling in c("none", "partial", "complete")) {
    fit <- fake_fit(G = 6, K = 4, pooling = pooling, iter = 500)
    said <- tryCatch(
      with_machine(1, check_fit_size(
        c(labels = 6, features = 4, covariates = 0), fit$pooling, fit$control, NULL)),
      hmvn_error_size = function(e) e$bytes
    )
    kept <- sum(unlist(lapply(c(fit$draws, fit$sampler), function(x) 8 * length(x))))
    expect_gt(said / kept, 0.8)
    expect_lt(said / kept, 2)
  }
})

test_that("very many features are refused at once, and few can be named", {
  wide <- data.frame(g = c(1, 2, 1, 2), matrix(rnorm(4e5), 4))
  seconds <- system.time(
    expect_error(quietly(hmvn_statistics(wide, ~g)), "features", class = "hmvn_error_size")
  )[[3]]
  seconds <- seconds + system.time(
    expect_error(quietly(fit_hmvn(wide, ~g)), class = "hmvn_error_size")
  )[[3]]
  expect_lt(seconds, 30)
  expect_s3_class(hmvn_statistics(wide, ~g, names(wide)[2:4]), "hmvn_statistics")
})

test_that("the working memory of many features is refused where it is needed", {
  d <- data.frame(g = 1, matrix(rnorm(30), 10))
  one <- list(chains = 1, iter_sampling = 1, algorithm = "nuts", keep = character())
  fit <- function() with_machine(1e5, do.call(short_fit, c(list(d, ~g), one)))
  expect_s3_class(fit(), "hmvn_fit")
  d <- data.frame(g = 1, matrix(rnorm(300), 10))
  error <- expect_error(fit(), "information matrices", class = "hmvn_error_sampling")
  expect_identical(error$topic, "size")
})

test_that("memory that cannot be had is an error of ours, and the session lives", {
  said <- function(cnd) {
    expect_error(with_memory_errors(stop(cnd), "Draws", NULL), class = "hmvn_error_memory")
  }
  said(simpleError(sprintf(gettext("cannot allocate vector of size %0.1f Gb", domain = "R"), 5)))
  for (type in c("std::bad_alloc", "std::system_error")) {
    said(structure(
      list(message = type, call = NULL), class = c(type, "C++Error", "error", "condition")
    ))
  }
  # where there is no memory for the name of the type
  said(structure(
    list(message = "std::bad_alloc", call = NULL),
    class = c("<not available>", "error", "condition")
  ))
  # other errors are not touched
  expect_error(with_memory_errors(stop("else"), "Draws", NULL), "^else$")
  ours <- function() with_memory_errors(abort_argument("x", "y", 1, NULL), "Draws", NULL)
  expect_error(ours(), "`x` must be y", class = "hmvn_error_argument")
  expect_identical(with_memory_errors(5, "Draws", NULL), 5)
})

test_that("where an allocation fails in a thread or in R, the next fit is right", {
  skip_on_cran()
  skip_on_os(c("windows", "mac"))
  code <- quote({
    library(hmvn)
    d <- data.frame(g = rep(1:3, each = 10), x = sin(1:30), y = cos((1:30)^2))
    fit <- function(...) {
      suppressWarnings(suppressMessages(fit_hmvn(d, ~g, ~ x + y, seed = 1, cores = 2, ...)))
    }
    small <- fit(iter_sampling = 50)
    large <- function() fit(iter_sampling = 4e6, chains = 8)
    class <- tryCatch(class(large())[[1]], hmvn_error = function(e) class(e)[[1]])
    cat(class, identical(small$draws, fit(iter_sampling = 50)$draws))
  })
  out <- run_r(code, before = "ulimit -v 3000000;")
  expect_identical(utils::tail(out, 1), "hmvn_error_memory TRUE")
})

test_that("where what is asked of a fit does not fit into memory, the session lives", {
  skip_on_cran()
  skip_on_os(c("windows", "mac"))
  code <- quote({
    library(hmvn)
    fit <- suppressWarnings(suppressMessages(fit_hmvn(
      iris, ~Species, chains = 1, iter_warmup = 10, iter_sampling = 250, seed = 1
    )))
    # 800 MB, which is not refused for its size
    rows <- iris[rep(1:150, 2666), ]
    asked <- list(
      function() log_lik(fit, rows), function() posterior_epred(fit, rows[1:1e5, ]),
      function() posterior_predict(fit, rows[1:1e5, ], seed = 1)
    )
    for (ask in asked) cat(tryCatch(class(ask()), error = function(e) class(e)[[1]]), "")
    cat(dim(log_lik(fit)))
  })
  out <- run_r(code, before = "ulimit -v 1000000;")
  expect_identical(utils::tail(out, 1), paste(strrep("hmvn_error_memory ", 3), "250 150", sep = ""))
})
