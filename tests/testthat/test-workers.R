# Draws do not depend on who makes them, nor on who dies meanwhile.

skip_on_cran()
skip_if_not_installed("future")

many <- many_small_groups()
worker_kinds <- list(
  many = list(data = many, group = ~g),
  partial = list(data = iris, group = ~Species, pooling = "partial"),
  few = list(data = iris, group = ~Species, algorithm = "nuts"),
  covariates = list(
    data = iris, group = ~Species, features = ~ Sepal.Length + Sepal.Width,
    covariates = ~Petal.Length
  )
)
fit_kind <- function(kind, ...) rlang::inject(short_fit(!!!worker_kinds[[kind]], ...))

# Evaluates `code` with a plan of the session's own.
with_plan <- function(strategy, code) {
  old <- future::plan(strategy)
  on.exit(future::plan(old))
  force(code)
}

test_that("tasks that are done here give the draws of one run", {
  with_plan("sequential", for (kind in names(worker_kinds)) {
    one <- fit_kind(kind)
    expect_same_outcome(fit_kind(kind, workers = "plan"), one)
    folder <- tempfile()
    expect_same_outcome(
      fit_kind(kind, workers = "plan", checkpoint = folder, checkpoint_every = 0.01), one
    )
    expect_same_outcome(suppressWarnings(quietly(resume_hmvn(folder))), one)
    longer <- fit_kind(kind, iter_sampling = 70)
    fit <- fit_kind(kind, workers = "plan")
    expect_same_outcome(suppressWarnings(extend(fit, iter_sampling = 70)), longer)
  })
})

test_that("the call that goes on with a checkpoint says anew who draws", {
  folder <- tempfile()
  one <- fit_kind("partial", checkpoint = folder)
  unlink(file.path(folder, c(part_files(folder), "progress")))
  with_plan("sequential", {
    again <- fit_kind("partial", checkpoint = folder, workers = "plan")
    expect_identical(again$control$workers, "plan")
    expect_same_outcome(again, one)
  })
  expect_null(fit_kind("partial", checkpoint = folder)$control$workers)
})

test_that("two processes give the draws of one, and the plan is given back", {
  before <- future::plan("list")
  for (kind in c("many", "partial")) {
    expect_same_outcome(fit_kind(kind, workers = 2), fit_kind(kind))
  }
  expect_identical(future::plan("list"), before)
})

test_that("workers leave draws and states in files, and go on with them", {
  longer <- fit_kind("many", iter_sampling = 70)
  folder <- tempfile("draws-")
  fit <- fit_kind("many", workers = 2, draws_dir = folder)
  extended <- suppressWarnings(extend(fit, 70))
  alone <- suppressWarnings(extend(extended, 80, workers = NULL, cores = 2))
  expect_null(alone$control$workers)
  for (name in c("mu", "Sigma")) {
    expect_identical(quantity(extended, name), quantity(longer, name))
  }
  expect_identical(quantity(alone, "mu"), quantity(fit_kind("many", iter_sampling = 80), "mu"))
  # a run that workers began can be gone on with by this process
  unlink(file.path(folder, c(part_files(folder), "progress")))
  again <- suppressWarnings(quietly(resume_hmvn(folder, workers = NULL)))
  expect_null(again$control$workers)
  expect_identical(again$draws$lp, fit$draws$lp)
})

test_that("workers show their progress, and a bar that is full is still one", {
  old <- options(cli.progress_show_after = 0)
  on.exit(options(old))
  with_plan("sequential", {
    expect_same_outcome(fit_kind("partial", workers = "plan", progress = TRUE), fit_kind("partial"))
  })
  left <- 3
  progress <- progress_reporter(TRUE, left)
  left <- 0
  for (done in c(1, 3, 3)) expect_no_error(progress$report(done))
  expect_no_error(progress$finish())
})

test_that("what a worker says of the sampler is an error of its class", {
  with_plan("sequential", expect_error(
    quietly(fit_hmvn(
      iris, ~Species, pooling = "partial", algorithm = "direct", workers = "plan"
    )),
    class = "hmvn_error_sampling"
  ))
})

test_that("a task whose worker died is done again, and not for ever", {
  # counted in a file: what is sent to a worker has variables of its own
  deaths <- tempfile()
  dying <- function(most) {
    theirs <- do_task
    writeLines(character(), deaths)
    function(task, seconds) {
      if (length(readLines(deaths)) < most) {
        cat("died\n", file = deaths, append = TRUE)
        stop(future::FutureError("the worker died"))
      }
      theirs(task, seconds)
    }
  }
  with_plan("sequential", {
    again <- with_replaced("do_task", dying(3), fit_kind("partial", workers = "plan"))
    expect_same_outcome(again, fit_kind("partial"))
    expect_error(
      with_replaced("do_task", dying(100), fit_kind("partial", workers = "plan")),
      "chain", class = "hmvn_error_worker"
    )
  })
})

test_that("a task that cannot be started is an error of the call that was made", {
  theirs <- new_crew
  unable <- function(pool, starts, seconds) {
    crew <- theirs(pool, starts, seconds)
    rm("seconds", envir = crew)
    makeActiveBinding("seconds", function() stop(future::FutureError("no memory")), crew)
    crew
  }
  error <- with_plan("sequential", expect_error(
    with_replaced("new_crew", unable, quietly(
      fit_hmvn(iris, ~Species, chains = 1, workers = "plan")
    )),
    "could not be started", class = "hmvn_error_worker"
  ))
  expect_identical(as.list(conditionCall(error))[[1]], quote(fit_hmvn))
})

test_that("what cannot be written is tried again with other pieces and at the end", {
  write <- write_sealed
  collect <- collect_pieces
  tries <- 0
  with_disk <- function(free_after, ...) {
    tries <<- 0
    full <- function(object, path) {
      if (!is.null(object$pieces)) {
        tries <<- tries + 1
        if (tries <= free_after) stop("the disk is full")
      }
      write(object, path)
    }
    # most times nothing has come
    looks <- 0
    slow <- function(crew, call) {
      looks <<- looks + 1
      if (looks %% 4 > 0) list() else collect(crew, call)
    }
    with_plan("sequential", with_replaced("write_sealed", full, with_replaced(
      "collect_pieces", slow, suppressWarnings(fit_kind("partial", workers = "plan", ...))
    )))
  }
  with_disk(0, checkpoint = tempfile(), checkpoint_every = 0)
  pieces <- tries
  expect_gt(pieces, 1)
  folder <- tempfile()
  fit <- with_disk(pieces, checkpoint = folder, checkpoint_every = 0)
  expect_identical(tries, pieces + 1)
  expect_length(part_files(folder), 1)
  unlink(file.path(folder, "progress"))
  expect_same_outcome(suppressWarnings(quietly(partial_hmvn(folder))), fit)
})

test_that("a worker with another version of the package is refused", {
  theirs <- new_task
  foreign <- function(...) {
    task <- theirs(...)
    task$maker[["version"]] <- "99.0"
    task
  }
  with_plan("sequential", expect_error(
    with_replaced("new_task", foreign, quietly(
      fit_hmvn(iris, ~Species, chains = 1, workers = "plan")
    )),
    "99[.]0.*Install", class = "hmvn_error_state"
  ))
})

test_that("workers are checked", {
  expect_error(fit_hmvn(iris, ~Species, workers = 0), class = "hmvn_error_argument")
  expect_error(fit_hmvn(iris, ~Species, workers = "all"), class = "hmvn_error_argument")
})
