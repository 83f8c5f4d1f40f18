# Every class is in the table, and every message is under review in _snaps/conditions.md.

# The calls of the functions `names` within an expression, arguments named.
calls_of <- function(names, expr) {
  if (is.pairlist(expr)) expr <- as.list(expr)
  if (!is.call(expr) && !is.list(expr)) {
    return(list())
  }
  inner <- lapply(as.list(expr), function(e) {
    if (!identical(e, rlang::missing_arg())) calls_of(names, e)
  })
  own <- is.call(expr) && is.symbol(expr[[1]]) && as.character(expr[[1]]) %in% names
  c(if (own) list(expr), unlist(inner, recursive = FALSE))
}

package_functions <- function() {
  namespace <- asNamespace("hmvn")
  Filter(is.function, mget(ls(namespace, all.names = TRUE), namespace))
}

# Every call of abort_hmvn() and the like: list(kind, class, fields); class is NA where it is not
# written out.
signalled <- function() {
  makers <- c(error = "abort_hmvn", warning = "warn_hmvn", message = "inform_hmvn")
  found <- lapply(names(makers), function(kind) {
    maker <- get(makers[[kind]], asNamespace("hmvn"))
    calls <- unlist(lapply(package_functions(), function(f) calls_of(makers[[kind]], body(f))))
    lapply(calls, function(call) {
      call <- as.list(match.call(maker, call))
      class <- if (is.character(call$class)) call$class else NA
      fields <- setdiff(names(call)[-1], c("message", "class", "call", "parent", ".envir"))
      list(kind = kind, class = class, fields = fields)
    })
  })
  unname(unlist(found, recursive = FALSE))
}

test_that("the table has every class that is signalled, with its fields, and no other", {
  found <- signalled()
  expect_gt(length(found), 50)
  class <- vapply(found, function(one) as.character(one$class), "")
  kind <- vapply(found, `[[`, "", "kind")
  # one call signals all warnings about sampling: their classes are the names of the problems
  expect_identical(kind[is.na(class)], "warning")
  fit <- fake_fit(iter = 20)
  problems <- c(names(sampler_problems(fit)), names(draws_problems(fit)))
  problems <- c(problems, class[kind == "warning" & !is.na(class)])
  expect_setequal(problems, names(condition_table$warning))
  for (type in c("error", "message")) {
    rows <- condition_table[[type]]
    expect_setequal(class[kind == type], names(rows))
    for (name in names(rows)) {
      fields <- lapply(found[kind == type & class == name], `[[`, "fields")
      expect_setequal(c(character(), unlist(fields)), c(character(), rows[[name]]$fields))
    }
  }
})

test_that("the help page names every class", {
  pages <- tools::Rd_db("hmvn")
  page <- paste(unlist(pages[["hmvn-conditions.Rd"]]), collapse = "")
  for (kind in names(condition_table)) {
    for (name in names(condition_table[[kind]])) {
      expect_match(page, paste0("hmvn_", kind, "_", name), fixed = TRUE)
    }
  }
})

# What the cases below are about.
d <- data.frame(
  g = c("a", "b", "a", "b"), h = c(1L, 1L, 2L, 2L), x = c(1.5, 2, 4, 3), y = c(2, 1, 1, 5)
)
with_z <- function(z) {
  d$z <- z
  d
}
statistics <- hmvn_statistics(d, ~g, ~ x + y)
with_covariates <- function(covariates, data = d, features = ~y) {
  hmvn_statistics(data, ~g, features, covariates = covariates)
}
two_levels <- function(level) {
  matrix(level, 3, 1, dimnames = list(c("mean", "x", "I(2 * x)"), "y"))
}
fit <- fake_fit(iter = 4)
one_draw <- fake_fit(iter = 1, chains = 1)
effects <- rbind(a = c(x = 1, y = 2), b = c(3, 4))
estimates <- function() {
  hmvn_statistics_from(mean = effects, cov = list(a = diag(2), b = diag(2)), known = TRUE)
}
slopes <- regression_fit(
  pooling = c(mean = "partial", sd = "partial", cor = "partial", slope = "none")
)
from <- function(n = c(a = 5, b = 6), mean = rbind(c(x = 1, y = 2), c(3, 4)),
                 cov = list(diag(2), diag(2)), ...) {
  hmvn_statistics_from(n, mean, cov, ...)
}
three_features <- function(cor) {
  hmvn_statistics_from(c(a = 9), c(x = 1, y = 2, z = 3), cor = cor, sd = c(x = 1, y = 1, z = 1))
}
flat <- data.frame(g = rep(c("a", "b", "c"), each = 6), x = rep(1:6, 3), y = rep(c(1, 1, 2:5), 3))
flat$y[flat$g == "a"] <- 7
line <- transform(flat, y = 2 * x)
many_flat <- data.frame(g = rep(1:30, each = 2), matrix(rep(1:60, 12), 60))
for (k in 1:12) many_flat[many_flat$g == k, k + 1] <- 1
left_out_fit <- utils::modifyList(fit, list(not_estimable = c(z = "y is constant")))
plain_prior <- hmvn_prior(distributional::dist_normal(0, 1), distributional::dist_exponential(1))
raw_prior <- hmvn_prior(frame = "raw")
other_frame <- matrix(c(2, 0, 0, 2), 2, dimnames = list(c("x", "z"), NULL))
huge_labels <- fake_fit(G = 10000, iter = 4, labels = as.character(1:10000))
many <- fake_fit(G = 1500, iter = 16, labels = as.character(1:1500))
invalid <- "b\xff"
d_twice <- stats::setNames(d, c("g", "x", "x", "y"))
as_data <- function(...) structure(list(...), class = "data.frame", row.names = 1:4)
changed_in_place <- function() {
  fit <- with_rows(iter = 4)
  fit$data <- sign_data(fit$data, 1)
  fit$data$columns[[2]][1] <- 2
  fit
}
with_rows <- function(...) {
  fit <- fake_fit(...)
  data <- data.frame(g = rep(c("A", "B"), 2e4), x1 = NA_real_, x2 = 1)
  fit$data <- model_data(data, "g", c("x1", "x2"))
  fit
}

without_labels <- function() {
  fit <- with_rows(iter = 4)
  fit$data$codes[2] <- 3L
  fit
}

# By topic. Every place that signals an error is here: a test below counts them.
error_cases <- list(
  argument = alist(
    fit_hmvn(d, ~g, chains = 0),
    log_prob(fit, matrix(0, 2, 3)),
    loo_moment_match.hmvn_fit(with_rows(iter = 4), loo = 1),
    other_rows(with_rows(iter = 4), 1, "loo_linpred", 1, NULL),
    check_inner_prob(95, "probs", NULL),
    rename_variables.hmvn_fit(fit, a = 1),
    rope.hmvn_fit(fit),
    bridge_sampler.hmvn_fit(fake_fit(K = 3, iter = 4, pooling = "partial")),
    fit_hmvn(d, ~g, seed = 1.5),
    fit_hmvn(d, ~g, max_treedepth = 21),
    fit_hmvn(d, ~g, adapt_delta = 1),
    fit_hmvn(d, ~g, init = c(1, 2)),
    fit_hmvn(d, ~g, progress = "yes"),
    fit_hmvn(d, ~g, algorithm = "nutz"),
    fit_hmvn(d, ~g, algorithm = 1:3),
    fit_hmvn(d, ~g, iter_sampling = 10, thin = 20),
    fit_hmvn(d, ~g, file = c("a", "b")),
    fit_hmvn(d, ~g, checkpoint_every = -1),
    extend(fit, iter_sampling = 4),
    extend(list(), iter_sampling = 4),
    as_table(iris),
    loo_compare.hmvn_fit(fit),
    mutate_variables.hmvn_fit(fit),
    mutate_variables.hmvn_fit(fit, twice = "text"),
    fit_hmvn(d, ~g, draws_dir = "a", checkpoint = "b"),
    fit_hmvn(d, ~g, keep = "sigma"),
    fit_hmvn(d, ~g, keep = "all"),
    fit_hmvn(d, ~g, keep = NULL),
    fit_hmvn(d, ~g, iter_sampl = 10),
    fit_hmvn(d, ~g, nothing_like_it = 10),
    fit_hmvn(d, ~g, , "none", hmvn_prior(), 4),
    fit_hmvn(statistics, group = ~g, features = ~x),
    c(statistics, 1),
    fit_hmvn(hmvn_statistics(flat, ~g, ~y, weights = ~x), not_estimable = "drop"),
    posterior_new_group(fit, ndraws = 1000),
    completed(1),
    stancode(data.frame(x = 1)),
    log_lik(fit, list(g = "A", x1 = 1, x2 = 2)),
    kfold.hmvn_fit(with_rows(iter = 4), folds = 1:3),
    kfold.hmvn_fit(with_rows(iter = 4), K = 3, folds = rep(1:2, 2e4)),
    kfold.hmvn_fit(with_rows(iter = 4), by = "group", folds = rep(1:2, each = 2e4)),
    augment.hmvn_fit(with_rows(iter = 4), d),
    predict(fit, data.frame(g = "A", x1 = 1, x2 = 2)),
    predict(fit, data.frame(x1 = 1), "group", proportions = c(A = 1, Z = 2)),
    predict(fit, data.frame(x1 = c(1, 1e300)), "group"),
    summary(fit, cores = "two"),
    summary(fit, variable = mean),
    summary(fit, variable = c("mu", NA)),
    summary(fit, variable = c("mu", invalid)),
    summary(fit, quantiles = 0.5),
    as_draws_df(fit, variables = "mu"),
    as_draws_df(fit, variable = character()),
    as_draws_df(fit, group = character()),
    as_draws_df(fit, variable = "mu[", regex = TRUE),
    as_draws_df(fit, variable = "mu", regex = NA),
    as_draws_df(fit, index = 1),
    group_cov(fit, joint = NA),
    print(fit, lines = NA),
    print(statistics, n_groups = -1),
    compare_groups(fit, group = "A"),
    compare_groups(fit, "cor"),
    compare_groups(fit, what = character()),
    compare_groups(fit, rope = c(means = 0.1)),
    group_overlap(fit, features = character()),
    outlying_groups(fit, group = "A"),
    closest_groups(fake_fit(G = 1)),
    plot(compare_groups(fit, what = "mean", prob = 0.5)),
    plot(compare_groups(fit, what = "mean")[0, ]),
    plot(fit, "forest", unpooled = fake_fit(G = 1)),
    plot(fit, "shrinkage", level = 0.5),
    plot(fit, "energy", variable = "mu"),
    summary(fit, prob = 0.5, probs = 0.1),
    as_table(compare_groups(fit, what = "mean"), interval = 0.9),
    as_table(structure(list(mean = 1), class = c("hmvn_comparison", "data.frame"))),
    constrain_pars(fit, 0 * unconstrain_pars(fit)[1, ] + 1e300),
    loo_compare.hmvn_fit(fit, 1),
    compare_groups(fit, features = quote(x1)),
    group_distance(fit, features = ~x1),
    print(compare_groups(fit, what = "mean"), n = "all"),
    find_parameters.hmvn_fit(fit, flatten = NA),
    rope.hmvn_fit(fit, range = "default"),
    p_significance.hmvn_fit(fit, threshold = c(1, -1)),
    describe_posterior.hmvn_fit(fit, ci = 95),
    recover_data.hmvn_fit(fit, data = data.frame(x = 1)),
    pairs(fit, variable = "sigma[A,x1]"),
    check_bridge_settings(list(maxit = 1), NULL),
    check_bridge_settings(list(method = "warp"), NULL),
    fit_hmvn(iris, ~Species, iter = 2000),
    group_distance(fit, to = c("A", "B")),
    file_chunks("no such file"),
    file_chunks(character(), read = 1),
    file_chunks(system.file("DESCRIPTION", package = "hmvn"), read = 1),
    file_chunks(system.file("DESCRIPTION", package = "hmvn"), header = FALSE, rows = 2),
    file_chunks(system.file("DESCRIPTION", package = "hmvn"), skip = 1, rows = 2),
    as.data.frame(statistics, row.names = 1:2)
  ),
  data = alist(
    fit_hmvn(as.matrix(d[3:4]), ~g),
    fit_hmvn("rows.csv", ~g),
    fit_hmvn(NULL, ~g),
    fit_hmvn(d[0, ], ~g),
    fit_hmvn(unname(d), ~g),
    fit_hmvn(as_data(g = d$g, x = 1:9), ~g, ~x),
    fit_hmvn(methods::getClass("numeric")),
    hmvn_statistics(function() 1, ~g)
  ),
  column = alist(
    fit_hmvn(d),
    fit_hmvn(d, g),
    fit_hmvn(d, c(g, h)),
    fit_hmvn(d, gg),
    fit_hmvn(d, y ~ g),
    fit_hmvn(d, ~ g, ~ log(x)),
    fit_hmvn(d, 3),
    fit_hmvn(d, character()),
    fit_hmvn(d, NA_character_),
    fit_hmvn(d, ~ g + g),
    fit_hmvn(d, ~ gg),
    fit_hmvn(d, ~ nothing_like_it),
    fit_hmvn(stats::setNames(d, c("g", "x", "x", "y")), ~g, ~x),
    fit_hmvn(d, ~g, ~ x + g),
    fit_hmvn(d["g"], ~g),
    fit_hmvn(d_twice, ~g),
    fit_hmvn(stats::setNames(d, c("g", "h", "x", invalid)), ~g),
    fit_hmvn(stats::setNames(d, c("g", "h", "x", NA)), ~g),
    fit_hmvn(with_z(factor(1:4)), ~g, ~z),
    fit_hmvn(with_z(list(1, 2, 3, 4)), ~g, ~z),
    fit_hmvn(with_z(matrix(1:8, 4)), ~g, ~z),
    fit_hmvn(with_z(data.frame(a = 1:4)), ~g, ~z),
    fit_hmvn(with_z(structure(rep(1e300, 4), class = "integer64")), ~g, ~z),
    fit_hmvn(d, ~g, ~x, weights = ~ h + y),
    c(hmvn_statistics(d, ~g, ~x, NULL, ~h), hmvn_statistics(d, ~g, ~y, NULL, ~h)),
    update(with_rows(iter = 4), features = ~z),
    update(fit, hmvn_statistics(d, ~g, ~ x + y)),
    predict(fit, data.frame(y = 1), "group"),
    with_covariates(y ~ x),
    with_covariates(~.),
    with_covariates(~ x - 1),
    with_covariates(~ x + offset(y)),
    with_covariates(~pi),
    with_covariates(~ log(xx)),
    with_covariates(~g),
    with_covariates(~y),
    with_covariates(~z, with_z(matrix(1:4))),
    check_design_columns(list(), list(table = d, matrix = matrix(1, 4, 1)), NULL)
  ),
  covariates = alist(
    with_covariates(~ no_such_function(x)),
    with_covariates(~ mean(x)),
    with_covariates(~ z + zv, transform(with_z(c("u", "v", "v", "u")), zv = x)),
    with_covariates(~z, with_z("a")),
    with_covariates(~z, with_z(Sys.Date() + 1:4)),
    with_covariates(~z, with_z(NA)),
    with_covariates(~ I(x - mean(x))),
    check_design(with_covariates(~ x + I(2 * x)), two_levels("none")),
    check_design(with_covariates(~ x + I(2 * x)), two_levels("partial")),
    c(statistics, with_covariates(~ log(h), features = ~ x + y)),
    c(with_covariates(~ scale(x)), with_covariates(~ scale(x), transform(d, x = 2 * x))),
    covariate_matrix(with_covariates(~z, with_z(c("u", "v")))$design, with_z("w")),
    posterior_epred(slopes, data.frame(g = "a", age = c(30, NA), site = "u")),
    kfold.hmvn_fit(slopes, folds = 1 + (slopes$data$covariate_columns$site == "w")),
    update(fake_fit(features = c("x", "y"), iter = 4), with_covariates(~h, features = ~ x + y)),
    with_covariates(~h, transform(d, y = NA_real_)),
    check_engine_terms(~ log(x) + y, NULL),
    engine_variables(~ h + factor(h), "h", d, NULL),
    read_levels(as.character(1:1001), "h", NULL),
    hmvn_statistics(function() d, ~g, ~y, covariates = ~ poly(x, 2))
  ),
  cells = alist(
    fit_hmvn(with_z(c(1, NaN, 2, 3)), ~g, ~z),
    fit_hmvn(with_z(c(1, Inf, -Inf, Inf)), ~g, ~z),
    fit_hmvn(with_z(c(1e200, -1e200, 1, 2)), ~g, ~ x + z),
    with_covariates(~z, with_z(c(1, Inf, 2, 3))),
    with_covariates(~ log(z), with_z(c(1, 0, 2, 0))),
    abort_engine_cells(list(features = "x", numeric = "y"), 2, 3, NULL)
  ),
  weights = alist(
    fit_hmvn(d, ~h, ~x, weights = ~g),
    fit_hmvn(with_z(c(1, -1, 1, 1)), ~g, ~x, weights = ~z),
    fit_hmvn(with_z(0), ~g, ~x, weights = ~z),
    fit_hmvn(with_z(0.25), ~g, ~x, weights = ~z),
    fit_hmvn(with_z(1e308), ~g, ~x, weights = ~z),
    update(utils::modifyList(fit, list(statistics = list(weighted = TRUE))), d)
  ),
  group = alist(
    fit_hmvn(with_z(complex(4)), ~z, ~x),
    fit_hmvn(with_z(list(1, 2, 3, 4)), ~z, ~x),
    fit_hmvn(with_z(matrix(1:8, 4)), ~z, ~x),
    fit_hmvn(with_z(c(1, 2.5, 3, 4)), ~z, ~x),
    fit_hmvn(with_z(c("a", NA, "b", NA)), ~z, ~x),
    fit_hmvn(with_z(addNA(factor(c("a", NA, "b", "b")))), ~z, ~x),
    fit_hmvn(with_z(c("a", "", "b", "b")), ~z, ~x),
    fit_hmvn(with_z(c("a", invalid, "b", "b")), ~z, ~x),
    fit_hmvn(with_z(structure(c(1L, 9L, 1L, 2L), levels = c("a", "b"), class = "factor")), ~z, ~x),
    fit_hmvn(data.frame(a = c("p:q", "p"), b = c("r", "q:r"), x = 1:2), ~ a + b, ~x),
    c(statistics, hmvn_statistics(d, ~h, ~ x + y)),
    group_mean(fit, c("A", "z")),
    compare_groups(fit, reference = "z"),
    unconstrain_pars(fake_fit(pooling = "partial"), "A"),
    group_mean(left_out_fit, "z"),
    group_mean(fit, 100000),
    group_mean(fit, NA),
    group_mean(fit, mean),
    check_whole_key(2.5, "h", NULL, has_rows = FALSE),
    abort_collation("g", NULL),
    statistics[1],
    statistics["z"]
  ),
  statistics = alist(
    from(n = c(a = 0, b = 6)),
    from(known = TRUE),
    hmvn_statistics_from(mean = diag(2), cov = diag(2), known = TRUE),
    hmvn_statistics_from(mean = effects, sd = effects, known = TRUE),
    hmvn_statistics_from(mean = effects, cov = list(a = diag(2), b = 0 * diag(2)), known = TRUE),
    c(estimates(), estimates()),
    c(estimates(), from()),
    from(n = c(a = 5, a = 6)),
    from(mean = diag(3)),
    from(mean = unname(diag(2))),
    from(mean = list(c(x = 1, y = 2))),
    from(mean = rbind(a = c(x = 1, y = 2), z = c(3, 4))),
    from(mean = rbind(c(x = 1, y = NA), c(3, 4))),
    from(cov = NULL),
    from(sd = diag(2)),
    from(cov = NULL, sd = diag(3)[1:2, ]),
    from(cov = NULL, cor = diag(2)),
    three_features(matrix(c(1, 0.5, NA, 0.5, 1, 0.5, NA, 0.5, 1), 3)),
    from(mean = NULL),
    from(mean = NULL, cov = NULL),
    from(mean = NULL, cov = NULL, cor = list(diag(2), diag(2))),
    from(mean = rbind(c(x = NA_real_, y = NA), c(3, 4)), cov = list(NA * diag(2), diag(2))),
    from(n = c(a = 1, b = 6)),
    from(mean = rbind(c(x = 1, y = Inf), c(3, 4))),
    from(cov = NULL, sd = -diag(2), cor = list(diag(2), diag(2))),
    from(cov = NULL, sd = diag(2), cor = list(diag(2), 2 * diag(2))),
    from(cov = list(diag(2), matrix(c(1, NA, 0, 1), 2))),
    from(cov = "wide"),
    from(cov = list(diag(2), diag(3))),
    from(cov = list(diag(2), diag(c(1, NA)))),
    from(cov = list(diag(2), matrix(1:4, 2))),
    from(cov = list(diag(2), -diag(2))),
    from(cov = list(diag(2), matrix(c(1, 2, 2, 1), 2))),
    from(n = mean),
    from(mean = "a"),
    from(n = 5),
    from(mean = list(c(x = 1, y = 2), c(x = 3, z = 4))),
    from(mean = list(c(x = 1, y = 2), c(x = 3))),
    from(cov = list(diag(2), 1e308 * diag(2))),
    from(cor = list(diag(2), diag(2))),
    fit_hmvn(structure(list(), class = "hmvn_statistics")),
    fit_hmvn(utils::modifyList(statistics, list(patterns = list(group = c(1L, 9L))))),
    hmvn_statistics(d, ~g, ~x, weights = ~h)["a"],
    as.data.frame(hmvn_statistics(transform(d, value = g), ~value, ~x)),
    as.data.frame(with_covariates(~ log(x))),
    as_hmvn_statistics(d),
    as_hmvn_statistics(transform(as.data.frame(statistics), value = as.character(value))),
    as_hmvn_statistics(cbind(as.data.frame(statistics), as.data.frame(statistics))),
    as_hmvn_statistics(subset(as.data.frame(statistics), quantity != "rows")),
    as_hmvn_statistics(transform(as.data.frame(statistics), quantity = sub("^n$", "N", quantity))),
    as_hmvn_statistics(as.data.frame(statistics)[-9, ]),
    as_hmvn_statistics(as.data.frame(statistics)[c(1:10, 10), ]),
    as_hmvn_statistics(transform(as.data.frame(statistics), pattern = 0 * pattern)),
    as_hmvn_statistics(subset(as.data.frame(statistics), quantity != "scatter")),
    as_hmvn_statistics(subset(as.data.frame(statistics), is.na(pattern))),
    table_formula("~ stop('run')", NULL)
  ),
  pooling = alist(
    fit_hmvn(d, ~g, ~x, pooling = "parial"),
    fit_hmvn(d, ~g, ~x, pooling = "some"),
    fit_hmvn(d, ~g, ~x, pooling = 1:3),
    fit_hmvn(d, ~g, ~x, pooling = c("none", "partial")),
    fit_hmvn(d, ~g, ~x, pooling = c(means = "none")),
    fit_hmvn(d, ~g, ~x, pooling = c(mean = "none", mean = "partial")),
    fit_hmvn(d, ~g, ~x, pooling = list(sd = c(x = "none", "partial"))),
    fit_hmvn(d, ~g, ~x, pooling = list(mean = c("none", "partial"))),
    fit_hmvn(d, ~g, ~x, pooling = list(mean = c(z = "none", "partial"))),
    fit_hmvn(d, ~g, ~ x + y, pooling = list(mean = c(x = "none", x = "none"))),
    fit_hmvn(d, ~g, ~ x + y, pooling = list(mean = c(x = "none"), sd = c("none", "none"))),
    fit_hmvn(d, ~g, ~ x + y, pooling = list(mean = c(x = "none"))),
    fit_hmvn(estimates(), pooling = "none")
  ),
  prior = alist(
    fit_hmvn(d, ~g, ~x, prior = "normal"),
    fit_hmvn(d, ~g, ~x, prior = structure(list(), class = "hmvn_prior")),
    hmvn_prior(mean = 0),
    hmvn_prior(mean = no_such_function(0, 1)),
    hmvn_prior(mean = c(distributional::dist_normal(0, 1), NA)),
    hmvn_prior(mean = distributional::dist_exponential(1)),
    hmvn_prior(mean = distributional::dist_normal(0, 0)),
    hmvn_prior(sd = 1),
    hmvn_prior(sd = distributional::dist_beta(1, 1)),
    hmvn_prior(sd = distributional::dist_normal(1, 1)),
    hmvn_prior(sd = distributional::dist_truncated(distributional::dist_normal(0, 1), 0, 5)),
    hmvn_prior(cor = 2),
    dist_lkj(1e300),
    fit_hmvn(d, ~g, ~x, prior = hmvn_prior(sd = distributional::dist_gamma(1e8, 1e8))),
    dist_lkj(-1),
    hmvn_prior(heterogeneity = 2),
    hmvn_prior(heterogeneity = list(rho = 1)),
    hmvn_prior(between = "none"),
    fit_hmvn(estimates(), pooling = "partial", prior = hmvn_prior(cor = dist_lkj(1))),
    hmvn_prior(slope = list()),
    hmvn_prior(slope = list(NULL)),
    fit_hmvn(d, ~g, ~x, prior = hmvn_prior(slope = distributional::dist_normal(0, 1))),
    fit_hmvn(d, ~g, ~y, covariates = ~x, prior = hmvn_prior(
      slope = list(z = distributional::dist_normal(0, 1))
    )),
    fit_hmvn(d, ~g, ~x, prior = hmvn_prior(mean = distributional::dist_normal(1:3, 1))),
    fit_hmvn(d, ~g, ~x, prior = hmvn_prior(mean = c(z = distributional::dist_normal(0, 1)))),
    fit_hmvn(d, ~g, ~ x + y, prior = hmvn_prior(mean = c(x = distributional::dist_normal(0, 1)))),
    fit_hmvn(d, ~g, ~x, prior = hmvn_prior(
      mean = c(x = distributional::dist_normal(0, 1), x = distributional::dist_normal(0, 1))
    )),
    fit_hmvn(with_z(1), ~g, ~z),
    hmvn_prior(frame = "white"),
    hmvn_prior(frame = matrix(1:6, 2)),
    fit_hmvn(d, ~g, ~ x + y, prior = hmvn_prior(frame = matrix(1, 2, 2))),
    fit_hmvn(line, ~g, ~ x + y, prior = hmvn_prior(frame = "pooled")),
    fit_hmvn(d, ~g, ~ x + y, prior = hmvn_prior(frame = diag(3))),
    fit_hmvn(d, ~g, ~ x + y, prior = hmvn_prior(frame = other_frame))
  ),
  improper = alist(
    fit_hmvn(flat, ~g, ~ x + y),
    fit_hmvn(transform(flat, y = c(a = 1, b = 2, c = 3)[g]), ~g, ~ x + y),
    fit_hmvn(transform(flat, y = 1), ~g, ~ x + y, pooling = "complete", prior = plain_prior),
    fit_hmvn(line, ~g, ~ x + y),
    fit_hmvn(line, ~g, ~ x + y, pooling = "complete"),
    fit_hmvn(rbind(flat, transform(line, g = paste0(g, "2"))), ~g, ~ x + y),
    fit_hmvn(many_flat, ~g, not_estimable = "error", prior = raw_prior),
    fit_hmvn(flat[flat$g == "a", ], ~g, ~x + y, prior = plain_prior, not_estimable = "drop"),
    kfold.hmvn_fit(
      short_fit(flat[flat$g != "a", ], ~g, ~ x + y, prior = raw_prior),
      folds = rep(c(2, 1, 2, 1), c(2, 4, 3, 3))
    )
  ),
  sampling = alist(
    with_core_errors(cpp_error("gave up."), NULL, NULL),
    with_core_errors(cpp_error("gave up."), "direct_not_applicable", NULL),
    with_core_errors(core_error("matrices are too large.", "size"), NULL, NULL),
    with_core_errors(core_error("it needs complete rows.", "direct_not_applicable"), NULL, NULL),
    with_core_errors(core_error("none was found.", "no_start"), NULL, NULL),
    with_core_errors(core_error("none works.", "no_step_size"), NULL, NULL),
    with_core_errors(core_error("not a {number}.", "numerical"), NULL, NULL),
    with_core_errors(core_error("a new reason.", "of another version"), NULL, NULL)
  ),
  memory = alist(
    with_memory_errors(cpp_error("std::bad_alloc"), "Draws", NULL)
  ),
  engine = alist(
    ask_engine(stop("no such column: {x}"), structure(1, class = "SQLiteConnection"), NULL)
  ),
  fit = alist(
    group_mean(1),
    summary(structure("fit", class = "hmvn_fit")),
    update(utils::modifyList(fit, list(units = NULL))),
    fitted(without_labels())
  ),
  keep = alist(
    group_cov(without(fit, "chol")),
    summary(without(fit, "mean", "chol"), c("mu", "Omega")),
    quantity(without(fit, "mean"), "mu")
  ),
  no_meaning = alist(
    loo.hmvn_fit(utils::modifyList(fit, list(control = list(prior_only = TRUE)))),
    fixef.hmvn_fit(fit),
    r2.hmvn_fit(fit),
    compare_groups(fit, reference = "typical"),
    between_cor(fit),
    loo.hmvn_fit(one_draw),
    compare_groups(fake_fit(K = 1), what = "cor"),
    group_ellipse(fake_fit(K = 3)),
    compare_groups(fit, what = "slope"),
    compare_groups(slopes, "typical", what = "slope"),
    plot(fake_fit(K = 1))
  ),
  package = alist(
    require_package("no.such.package", "A {.code picture}")
  ),
  checkpoint = alist(
    in_folder(writeLines("a", "header"), read_header(".", NULL)),
    in_folder(writeLines("abc\nhmvn-checkpoint 9", "header"), read_sealed("header", NULL)),
    in_folder(writeLines("abc\nhmvn-checkpoint 2 9", "header"), read_sealed("header", NULL)),
    in_folder(dir.create("header"), read_sealed("header", NULL)),
    in_folder(NULL, partial_hmvn("run")),
    in_folder(NULL, read_header("run", NULL)),
    in_folder(writeLines("a", "run"), lock_folder("run", NULL)),
    in_folder(writeLines("a", "thesis.txt"), lock_folder(".", NULL)),
    in_folder(writeLines("a", "part-00001"), lock_folder(".", NULL)),
    in_folder(plan_in("."), matching_header(other_plan(), ".", NULL)),
    in_folder(alien_part("."), read_pool(".", read_header(".", NULL), NULL)),
    with_folder_errors(stop("it is full"), "run", NULL)
  ),
  draws_dir = alist(
    read_records(list(folder = "run"), 1:6, 1L),
    in_folder(writeLines("a", draws_name(1:6)), read_records(list(folder = "."), 1:6, 1L)),
    in_folder(
      write_records(list(folder = ".", token = "a"), 1:6, 1, list),
      read_records(list(folder = ".", token = "b"), 1:6, 1L)
    ),
    abort_filed("run/draws-1-2-1-4-1-500", "It is damaged."),
    check_arrived(list(files = list(c(1L, 2L, 1L, 4L, 1L, 500L))), list(folder = "run"), NULL),
    with_filing_errors(stop("the disk is full"), "run")
  ),
  locked = alist(
    abort_locked("run", c(pid = "12", host = "box"), NULL)
  ),
  unfinished = alist(
    abort_unfinished("run", NULL)
  ),
  worker = alist(
    note_failure(tired_crew(), 1L, "it ran out of memory.", NULL)
  ),
  file = alist(
    check_file("no/folder/fit", NULL),
    in_folder(writeLines("a, b", "fit.rds"), read_fit_file("fit.rds", NULL)),
    in_folder(saveRDS(1:3, "fit.rds"), read_fit_file("fit.rds", NULL)),
    in_folder(
      saveRDS(structure(list(version = "99.0"), class = "hmvn_fit"), "fit.rds"),
      read_fit_file("fit.rds", NULL)
    )
  ),
  state = alist(
    extend(of_no_state(fit), 5),
    extend(of_other_version(fit), 5),
    do_task(list(maker = c(version = "99.0", endian = "big", pointer = "4")), 1),
    with_core_errors(core_error("a saved state ends too early", "state"), NULL, NULL)
  ),
  rows = alist(
    posterior_impute(fit),
    update(utils::modifyList(fit, list(control = list(keep_data = FALSE))), group = ~h),
    posterior_impute(changed_in_place()),
    log_lik(fit)
  ),
  size = alist(
    group_cov(many, joint = TRUE),
    check_draws_size(many, quantity_names(many, "draws"), 1e7),
    with_machine(2^30, fit_hmvn(d, ~g, ~ x + y, iter_sampling = 1e7)),
    with_machine(2^20, hmvn_statistics(data.frame(g = 1:2, matrix(1, 2, 500)), ~g)),
    posterior_impute(with_rows(iter = 1000)),
    log_lik(with_rows(iter = 1000)),
    posterior_predict(with_rows(iter = 1000)),
    vcov(huge_labels),
    compare_groups(huge_labels)
  ),
  variable = alist(
    as_draws_array(fit, variable = c("mu", "nu")),
    as_draws_array(fit, variable = "^nu", regex = TRUE),
    as_draws_array(fit, variable = "^Omega.*x1,x2", regex = TRUE),
    as_draws_array(fake_fit(K = 1), variable = c("mu", "Omega")),
    summary(fit, "mu0"),
    summary(fake_fit(pooling = "partial"), c("mu", "mu0", "tau"), group = "A")
  ),
  prob = alist(
    summary(fit, prob = 95),
    summary(fit, prob = list())
  )
)

# Evaluates `prepare` and `code` where nothing else is.
in_folder <- function(prepare, code) {
  folder <- tempfile()
  dir.create(folder)
  old <- setwd(folder)
  on.exit({
    setwd(old)
    unlink(folder, recursive = TRUE)
  })
  force(prepare)
  force(code)
}

# Plans without data, which nobody carries out
small_plan <- function(...) {
  settings <- settle_settings(fill_settings(list(seed = 1, ...), formals(fit_hmvn)))
  record <- list(specification = list(settings = list(seed = 1)))
  new_plan(statistics, specify_model(statistics, plain_prior, "none", NULL), settings, record, NULL)
}
plan_in <- function(folder) write_header(small_plan(), folder, 60)
other_plan <- function() small_plan(thin = 2)
alien_part <- function(folder) {
  plan_in(folder)
  write_sealed(list(token = "other", number = 1L, pieces = list()), part_path(folder, 1L))
}
tired_crew <- function() {
  pool <- plan_pool(small_plan())
  crew <- new.env()
  crew$pool <- pool
  crew$failures <- rep(3L, nrow(pool$ranges))
  crew
}

of_no_state <- function(fit) {
  fit["states"] <- list(NULL)
  fit
}
of_other_version <- function(fit) {
  fit$states$maker <- c(version = "99.0", endian = "big", pointer = "4")
  fit
}

cpp_error <- function(message) {
  class <- c(message[message == "std::bad_alloc"], "C++Error", "error", "condition")
  stop(structure(list(message = message, call = NULL), class = class))
}

core_error <- function(message, topic) {
  class <- c("hmvn_core_error", "error", "condition")
  stop(structure(list(message = message, call = NULL, topic = topic), class = class))
}

for (topic in names(error_cases)) {
  test_that(paste("errors say what must hold, what was found, what to do:", topic), {
    for (case in error_cases[[topic]]) {
      rlang::inject(expect_snapshot(quietly(!!case), error = TRUE))
    }
  })
}

# The messages of the cases, before and after cli fills them in.
all_messages <- function() {
  seen <- character()
  where <- asNamespace("hmvn")
  note <- function(message) seen <<- c(seen, message)
  tracer <- rlang::inject(quote((!!note)(message)))
  suppressMessages(trace("abort_hmvn", tracer = tracer, where = where, print = FALSE))
  on.exit(suppressMessages(untrace("abort_hmvn", where = where)))
  for (case in unlist(error_cases)) {
    error <- tryCatch(quietly(eval(case)), error = identity)
    expect_s3_class(error, "hmvn_error")
    expect_identical(class(error)[[2]], "hmvn_error")
    seen <- c(seen, conditionMessage(error))
  }
  seen
}

# Texts written out in an expression, but not those that say how others are joined.
texts_in <- function(expr) {
  if (is.character(expr)) {
    return(expr)
  }
  if (!is.call(expr)) {
    return(character())
  }
  parts <- as.list(expr)[-1]
  parts <- parts[!names(parts) %in% c("collapse", "sep")]
  unlist(lapply(parts, function(e) if (!identical(e, rlang::missing_arg())) texts_in(e)))
}

test_that("the cases are of their classes, and reach every text of every error", {
  seen <- all_messages()
  helpers <- package_functions()
  helpers <- helpers[startsWith(names(helpers), "abort_")]
  takes <- c("message", "must", "problem", "hint")
  calls <- unlist(lapply(package_functions(), function(f) calls_of(names(helpers), body(f))))
  texts <- unlist(lapply(calls, function(call) {
    call <- as.list(match.call(helpers[[as.character(call[[1]])]], call))
    lapply(call[intersect(takes, names(call))], texts_in)
  }))
  expect_gt(length(texts), 100)
  for (text in unique(texts)) {
    expect_true(any(grepl(text, seen, fixed = TRUE)), label = paste0("reached: ", text))
  }
})
