rows <- with_fixed_seed(5, {
  n <- 4000
  d <- data.frame(
    g = sample(c("a", "b", "c"), n, TRUE), h = sample(3:5, n, TRUE), x = 1e9 + rnorm(n),
    y = rpois(n, 5), z = 1e9 + rexp(n), w = sample(0:3, n, TRUE), v = rexp(n)
  )
  for (name in c("x", "y", "z")) d[[name]][runif(n) < 0.1] <- NA
  d
})

for (engine in engines) {
  test_that(paste(engine, "gives the statistics that R gives, at an offset, with missing cells"), {
    tbl <- engine_table(engine, rows)
    ours <- of_engine(tbl, ~g, ~ x + y + z)
    expect_gt(length(ours$patterns$n), 20)
    expect_gt(ours$n_empty, 0)
    expect_same_to(ours, hmvn_statistics(rows, ~g, ~ x + y + z), 1e-10)
    expect_same_to(
      of_engine(tbl, ~ g + h, ~ z + x), hmvn_statistics(rows, ~ g + h, ~ z + x), 1e-10
    )
    expect_same_to(of_engine(tbl, NULL, ~x), hmvn_statistics(rows, NULL, ~x), 1e-10)
    expect_silent(validate_statistics(ours, "ours", NULL))
  })

  test_that(paste(engine, "weighs rows, and says the same of the weights"), {
    tbl <- engine_table(engine, rows)
    for (name in c("w", "v")) {
      said <- list()
      listen <- function(code) {
        said <<- list()
        withCallingHandlers(code, hmvn_message = function(m) {
          said[[length(said) + 1]] <<- conditionMessage(m)
          invokeRestart("muffleMessage")
        })
      }
      theirs <- listen(hmvn_statistics(rows, ~g, ~ x + y, weights = name))
      said_theirs <- said
      ours <- listen(hmvn_statistics(tbl, ~g, ~ x + y, weights = name))
      expect_identical(said[-1], said_theirs)
      expect_length(said_theirs, 1)
      expect_same_to(ours, theirs, 1e-10)
    }
  })

  test_that(paste(engine, "is asked again about means of groups that lie far apart"), {
    far <- rows
    far$x <- far$x + 1e7 * match(far$g, letters)
    tbl <- engine_table(engine, far)
    expect_identical(count_calls("sums_query", of_engine(tbl, ~g, ~y)), c(sums_query = 1L))
    calls <- count_calls("sums_query", ours <- of_engine(tbl, ~g, ~ x + y + z))
    expect_identical(calls, c(sums_query = 2L))
    expect_same_to(ours, hmvn_statistics(far, ~g, ~ x + y + z), 1e-10)
    calls <- count_calls("sums_query", ours <- of_engine(tbl, ~g, ~ x + y, weights = ~v))
    expect_identical(calls, c(sums_query = 2L))
    expect_same_to(ours, quietly(hmvn_statistics(far, ~g, ~ x + y, weights = ~v)), 1e-10)
  })

  test_that(paste(engine, "is not misled by the rows that come first"), {
    first <- with_fixed_seed(7, data.frame(
      g = "first", x = 1e9 + 1e-3 * rnorm(10000), y = NA_real_, z = rnorm(10000)
    ))
    rest <- rows[c("g", "x", "y", "z")]
    rest$x <- rest$x - 1e9
    sorted <- rbind(first, rest)
    ours <- of_engine(engine_table(engine, sorted), ~g, ~ x + y + z)
    expect_same_to(ours, hmvn_statistics(sorted, ~g, ~ x + y + z), 1e-10)
  })

  test_that(paste(engine, "tests cells where sums say that it must, and refuses what R refuses"), {
    tbl <- engine_table(engine, rows[1:200, ])
    tests_of <- function(tbl, ...) count_calls("test_cells", try(of_engine(tbl, ...), TRUE))
    expect_identical(tests_of(tbl, ~h, ~ x + z), c(test_cells = 0L))
    for (cell in c("9e999", "-9e999", "2e150", "-1e200")) {
      if (engine == "PostgreSQL") cell <- sub("9e999", "infinity", cell)
      where <- paste0("UPDATE %s SET z = '", cell, "' WHERE h = 4")
      huge <- engine_table(engine, rows[1:200, ], where)
      failed <- tryCatch(of_engine(huge, ~h, ~ x + z), hmvn_error_cells = identity)
      expect_identical(failed$column, "z")
      expect_equal(failed$count, sum(rows$h[1:200] == 4))
      expect_identical(tests_of(huge, ~h, ~ x + z), c(test_cells = 1L))
      expect_error(of_engine(dplyr::filter(huge, h == 4L), ~h, ~z), class = "hmvn_error_cells")
      expect_error(of_engine(huge, ~h, ~x, covariates = ~z), class = "hmvn_error_cells")
      expect_error(quietly(of_engine(huge, ~h, ~z, weights = ~v)), class = "hmvn_error_cells")
    }
    large <- transform(rows[1:200, ], z = z * 1e139)
    ours <- of_engine(engine_table(engine, large), ~h, ~ x + z)
    expect_same_to(ours, hmvn_statistics(large, ~h, ~ x + z), 1e-10)
  })

  test_that(paste(engine, "leaves a constant its scatter of 0"), {
    flat <- transform(rows, u = ifelse(g == "a", 0.1, 7.3), y = NULL)
    tbl <- engine_table(engine, flat)
    ours <- of_engine(tbl, ~g, ~ u + x)
    expect_same_to(ours, hmvn_statistics(flat, ~g, ~ u + x), 1e-10)
    expect_true(all(ours$patterns$scatter[1, , ] == 0))
    one <- engine_table(engine, flat[7, ])
    expect_same_to(of_engine(one, ~g, ~ u + x), hmvn_statistics(flat[7, ], ~g, ~ u + x), 1e-10)
  })

  test_that(paste(engine, "counts thirty features and more, of any name"), {
    wide <- with_fixed_seed(6, as.data.frame(matrix(rnorm(200 * 33), 200)))
    wide[cbind(1:200, rep(1:33, length.out = 200))] <- NA
    names(wide)[1:8] <- c("a b", "select", "x1", "g1", "it's \"so\"", "a1", "p1", "n")
    wide$`the group` <- rep(c("\u00e4", "o'b"), 100)
    tbl <- engine_table(engine, wide)
    expect_same_to(
      of_engine(tbl, "the group", names(wide)[1:33]),
      hmvn_statistics(wide, "the group", names(wide)[1:33]), 1e-10
    )
  })

  test_that(paste(engine, "keeps empty groups, and the table as it is asked for"), {
    m <- rows
    m[m$g == "b", c("x", "y")] <- NA
    tbl <- engine_table(engine, m)
    expect_same_to(of_engine(tbl, ~g, ~ x + y), hmvn_statistics(m, ~g, ~ x + y), 1e-10)
    part <- dplyr::mutate(dplyr::filter(tbl, h > 3L), u = z - 1e9, k = h * 2L)
    expect_same_to(
      of_engine(part, ~k, ~u),
      hmvn_statistics(transform(m[m$h > 3, ], u = z - 1e9, k = h * 2L), ~k, ~u), 1e-10
    )
    grouped <- dplyr::group_by(tbl, g)
    expect_message(ours <- of_engine(grouped, features = ~x), class = "hmvn_message_grouped")
    expect_same_to(ours, hmvn_statistics(m, ~g, ~x), 1e-10)
  })

  test_that(paste(engine, "takes an order without a word, and columns without a cell"), {
    part <- rows[1:200, ]
    tbl <- engine_table(engine, part)
    expect_no_warning(ours <- of_engine(dplyr::arrange(tbl, x, h), ~g, ~ x + y))
    expect_same_to(ours, hmvn_statistics(part, ~g, ~ x + y), 1e-10)
    first <- part[order(part$v), ][1:50, ]
    ours <- of_engine(utils::head(dplyr::arrange(tbl, v), 50), ~g, ~ x + y)
    expect_same_to(ours, hmvn_statistics(first, ~g, ~ x + y), 1e-10)
    bare <- engine_table(engine, transform(part, u = 1.5), "UPDATE %s SET u = NULL")
    for (ours in list(of_engine(bare, ~g, ~u), of_engine(bare, ~g, ~u) + of_engine(bare, ~g, ~u))) {
      expect_identical(ours$labels, c("a", "b", "c"))
      expect_equal(ours$n_rows, 0)
      expect_equal(ours$n_empty %% 200, 0)
      expect_silent(validate_statistics(ours, "ours", NULL))
    }
    with_u <- of_engine(bare, ~g, ~ x + u)
    expect_same_to(with_u, hmvn_statistics(transform(part, u = NA_real_), ~g, ~ x + u), 1e-10)
  })

  test_that(paste(engine, "refuses what is refused of a data frame"), {
    tbl <- engine_table(engine, transform(rows, n = NA_character_)[1:100, ])
    expect_error(of_engine(tbl, ~g, ~g), class = "hmvn_error_column")
    expect_error(of_engine(tbl, ~g, ~n), class = "hmvn_error_column")
    expect_error(of_engine(tbl, g, ~x), class = "hmvn_error_column")
    expect_error(of_engine(tbl, ~gg, ~x), class = "hmvn_error_column")
    expect_error(of_engine(tbl, features = ~x), class = "hmvn_error_group")
    expect_error(of_engine(tbl, ~v, ~x), class = "hmvn_error_group")
    expect_error(of_engine(tbl, ~n, ~x), class = "hmvn_error_group")
    expect_error(of_engine(tbl, ~h, ~x, weights = ~g), class = "hmvn_error_weights")
    expect_error(of_engine(tbl, ~g, ~x, weights = ~y), class = "hmvn_error_weights")
    negative <- dplyr::mutate(tbl, v = v - 1)
    expect_error(of_engine(negative, ~g, ~x, weights = ~v), class = "hmvn_error_weights")
    zero <- dplyr::filter(tbl, w == 0)
    expect_error(of_engine(zero, ~g, ~x, weights = ~w), class = "hmvn_error_weights")
    empty <- dplyr::filter(tbl, h > 100L)
    expect_error(of_engine(empty, ~g, ~x), class = "hmvn_error_data")
    expect_error(of_engine(empty, NULL, ~x), class = "hmvn_error_data")
    broken <- dplyr::mutate(tbl, x = no_such_function(x))
    failed <- tryCatch(of_engine(broken, ~g, ~x), hmvn_error_engine = identity)
    expect_match(conditionMessage(failed), "no_such_function")
  })

  test_that(paste(engine, "names features by default, and suspects labels among them"), {
    d <- data.frame(g = rep(c("a", "b"), 30), x = sin(1:60), key = 60:1 + 100L, year = 2001:2003)
    tbl <- engine_table(engine, d)
    expect_warning(
      s <- of_engine(tbl, ~g), "key \\(an id\\).*year \\(a year\\)",
      class = "hmvn_warning_suspect_features"
    )
    expect_identical(s$features, c("x", "key", "year"))
    expect_silent(s <- of_engine(tbl, ~g, ~ . - key - year))
    expect_identical(s$features, "x")
  })

  test_that(paste(engine, "gives a fit what rows give, and no rows"), {
    tbl <- engine_table(engine, rows)
    fit_of <- function(data, ...) {
      quietly(fit_hmvn(
        data, ~g, ~ x + y, weights = ~w, chains = 1, iter_warmup = 50, iter_sampling = 50,
        seed = 4, ...
      ))
    }
    fit <- suppressWarnings(fit_of(tbl))
    same <- suppressWarnings(fit_of(rows, keep_data = FALSE))
    expect_equal(fit$draws, same$draws, tolerance = 1e-6)
    expect_null(fit$data)
    expect_identical(fit$specification$weights, "w")
    expect_error(posterior_impute(fit), class = "hmvn_error_rows")
    expect_error(log_lik(fit), class = "hmvn_error_rows")
    expect_error(predict(fit), class = "hmvn_error_rows")
    expect_error(update(fit, group = ~h), class = "hmvn_error_rows")
    again <- suppressWarnings(quietly(update(fit, dplyr::filter(tbl, g != "c"))))
    expect_identical(again$statistics$labels, c("a", "b"))
    expect_true(again$statistics$weighted)
  })
}

test_that("SQLite: a text among numbers is no 0", {
  d <- data.frame(g = c("a", "a", "b", "b"), x = c(1.5, 2, 4, 3), y = 1:4)
  tbl <- engine_table("SQLite", d, "UPDATE %s SET x = 'n/a' WHERE y = 3")
  expect_error(of_engine(tbl, ~g, ~x), class = "hmvn_error_column")
  # types that SQLite does not know before it computes
  doubled <- dplyr::mutate(tbl, z = y * 2.5)
  expect_identical(of_engine(doubled, ~g, ~ . - y)$features, "z")
})

test_that("SQLite: spellings that only the engine takes for one are refused", {
  skip_without_engine("SQLite")
  con <- connection_of("SQLite")
  DBI::dbExecute(con, "CREATE TABLE nocase (g TEXT COLLATE NOCASE, x REAL, y REAL)")
  DBI::dbWriteTable(con, "nocase", append = TRUE, data.frame(
    g = c("a", "A", "a", "A", "b"), x = c(1, 2, 3, NA, NA), y = c(1, NA, 5, 6, 7)
  ))
  expect_error(of_engine(dplyr::tbl(con, "nocase"), ~g, ~ x + y), class = "hmvn_error_group")
})

test_that("PostgreSQL: NaN is missing, infinity is refused, any number is one", {
  d <- rows[1:500, ]
  d$x <- round(d$x, 3) # what NUMERIC of 15 digits keeps
  nan <- "UPDATE %s SET z = 'NaN' WHERE h = 3"
  types <- c(
    "ALTER TABLE %s ALTER x TYPE numeric", "ALTER TABLE %s ALTER y TYPE bigint",
    "ALTER TABLE %s ALTER h TYPE smallint"
  )
  tbl <- engine_table("PostgreSQL", d, c(nan, types))
  missing <- transform(d, z = ifelse(h == 3, NA, z))
  expect_same_to(
    of_engine(tbl, ~g, ~ x + y + z + h), hmvn_statistics(missing, ~g, ~ x + y + z + h), 1e-10
  )
  infinite <- engine_table("PostgreSQL", d, c(
    nan, "UPDATE %s SET z = '-Infinity' WHERE h = 4", "UPDATE %s SET z = 'Infinity' WHERE h = 5"
  ))
  failed <- tryCatch(of_engine(infinite, ~g, ~z), hmvn_error_cells = identity)
  expect_identical(failed$column, "z")
  expect_equal(failed$count, sum(d$h != 3))
})

test_that("PostgreSQL: groups are dates, times and truth values as in a data frame", {
  d <- transform(rows[1:300, ],
    day = as.Date("2024-02-28") + h, time = as.POSIXct("2024-02-28 12:00:00", tz = "UTC") + h,
    yes = h == 4
  )
  tbl <- engine_table("PostgreSQL", d)
  expect_same_to(
    of_engine(tbl, ~ day + yes, ~x), hmvn_statistics(d, ~ day + yes, ~x), 1e-10
  )
  expect_length(of_engine(tbl, ~time, ~x)$labels, 3)
})
