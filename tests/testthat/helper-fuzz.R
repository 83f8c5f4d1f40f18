# Random input for every export: each answer must be a result or an error of ours. Used by
# test-fuzz.R (short) and inst/validation/fuzz.R (long).

# What may be handed to any argument. Deterministic given R's random numbers.
odd_value <- function(depth = 1) {
  broken <- function(x) `Encoding<-`(x, "UTF-8")
  makers <- list(
    function() NULL,
    function() NA,
    function() sample(list(NA_character_, NA_real_, NA_integer_, NaN, Inf, -Inf), 1)[[1]],
    function() sample(c(-1, 0, 0.5, 1, 1.5, 2, 1e6, 1e15, 2^31, 2^53, 1e300, -1e300, 1e-300), 1),
    function() sample(c(0L, -1L, 1L, 3L, .Machine$integer.max), 1),
    function() sample(c(TRUE, FALSE), sample(0:2, 1), TRUE),
    function() sample(c("", "a", "x", "mu", "none", "mu[", "(", "{x}", "a b", "Omega"), 1),
    function() broken("a\xff"),
    function() `Encoding<-`("a\xe9", "bytes"),
    function() `Encoding<-`("\xe4", "latin1"),
    function() sample(letters, sample(0:4, 1)),
    function() stats::rnorm(sample(0:4, 1)),
    function() matrix(stats::rnorm(4), 2),
    function() array(1:8, c(2, 2, 2)),
    function() 1i,
    function() as.raw(1),
    function() quote(x),
    function() quote(x + y),
    function() mean,
    function() stats::as.formula("~ x"),
    function() stats::as.formula("y ~ x"),
    function() new.env(),
    function() globalenv(),
    function() methods::getClass("numeric"),
    function() Sys.Date(),
    function() factor(c("a", "b")),
    function() structure(c(1L, 9L), levels = c("a", "b"), class = "factor"),
    function() structure(1, class = sample(odd_classes, 1)),
    function() structure(list(), class = sample(odd_classes, 1)),
    function() distributional::dist_normal(0, sample(c(1e-300, 1, 1e300), 1)),
    function() distributional::dist_gamma(sample(c(1e-300, 1, 1e300), 1), 1),
    function() distributional::dist_beta(sample(c(1e-300, 1, 1e300), 1), 1),
    function() data.frame(x = 1:3, g = c("a", "b", "a")),
    function() data.frame(),
    function() if (depth > 0) replicate(sample(0:3, 1), odd_value(depth - 1), simplify = FALSE),
    function() {
      values <- replicate(sample(1:3, 1), odd_value(0), simplify = FALSE)
      stats::setNames(values, sample(c("x", "y", "a", "", NA, "mean", "sd"), length(values), TRUE))
    }
  )
  sample(makers, 1)[[1]]()
}

odd_classes <- c(
  "hmvn_fit", "hmvn_statistics", "hmvn_prior", "hmvn_lkj", "hmvn_imputation", "hmvn_model_data",
  "distribution", "data.frame", "formula", "rvar", "integer64"
)

# One random change somewhere inside a list; attributes may go too.
changed_inside <- function(x, depth = 4) {
  inner <- is.list(x) && length(x) > 0 && depth > 0
  if (inner && stats::runif(1) < 0.85) {
    class <- oldClass(x)
    x <- unclass(x)
    at <- sample(length(x), 1)
    x[at] <- list(changed_inside(x[[at]], depth - 1))
    return(structure(x, class = class))
  }
  ways <- list(
    function() odd_value(),
    function() if (length(x)) x[-1] else x,
    function() c(x, x),
    function() if (length(x) && is.atomic(x)) replace(x, sample(length(x), 1), NA) else NULL,
    function() if (is.numeric(x)) -x else rev(x),
    function() if (is.numeric(x)) x * 1e300 else NULL,
    function() if (is.numeric(x) && length(x)) replace(x, 1, sample(c(0, -5, 1e6, 1e300), 1)),
    function() if (is.integer(x)) replace(x, length(x), 1000000L) else unname(x),
    function() if (is.atomic(x)) as.character(x) else unclass(x),
    function() if (is.atomic(x)) c(x) else x[0],
    function() `attributes<-`(x, NULL)
  )
  tryCatch(sample(ways, 1)[[1]](), error = function(e) NULL)
}

odd_data <- function() {
  n <- sample(c(0, 1, 2, 6, 20), 1)
  column <- function() {
    kind <- sample(8, 1)
    switch(kind,
      stats::rnorm(n), ifelse(stats::runif(n) < 0.3, NA, stats::rnorm(n)), sample(3L, n, TRUE),
      sample(letters[1:3], n, TRUE), factor(sample(c("u", "v"), n, TRUE)), rep(1, n),
      stats::rnorm(n) * sample(c(1e-310, 1e-100, 1e100, 1e200), 1), odd_value()
    )
  }
  columns <- replicate(sample(1:5, 1), column(), simplify = FALSE)
  names <- sample(c("g", "x", "y", "z", "w", "x", "", NA, "a b"), length(columns))
  if (stats::runif(1) < 0.7) names <- c("g", "x", "y", "z", "w")[seq_along(columns)]
  structure(columns, names = names, class = "data.frame", row.names = .set_row_names(n))
}

# What exports are called with where an argument is not odd. Built once.
fuzz_material <- function() {
  d <- data.frame(
    g = rep(c("a", "b", "c"), each = 5), x = sin(1:15), y = cos((1:15)^2), w = rep(1:3, 5)
  )
  gaps <- d
  gaps$x[c(2, 9)] <- NA
  fits <- list(
    short_fit(d, ~g, ~ x + y), short_fit(gaps, ~g, ~ x + y, "partial"),
    short_fit(d, ~g, ~x, "complete"), short_fit(d, ~g, ~ x + y, keep = character()),
    short_fit(gaps, ~g, ~ x + y, "partial", covariates = ~w)
  )
  statistics <- list(hmvn_statistics(d, ~g, ~ x + y), hmvn_statistics(gaps, ~g, ~ x + y))
  checkpoint <- tempfile()
  short_fit(d, ~g, ~ x + y, "partial", checkpoint = checkpoint)
  list(
    data = list(d, gaps), fits = fits, statistics = statistics,
    imputation = posterior_impute(fits[[2]], ndraws = 5, seed = 1),
    comparison = compare_groups(fits[[1]]),
    pages = list(
      closest_groups(fits[[2]]), within_between(fits[[2]]), hmvn_progress(checkpoint),
      prior_summary(fits[[2]]), summary(fits[[3]]), group_ellipse(fits[[1]]), stancode(fits[[1]])
    ),
    loo = suppressWarnings(loo::loo(fits[[1]])),
    positions = lapply(fits[1:3], unconstrain_pars), checkpoint = checkpoint,
    table = as.data.frame(statistics[[2]]), file = system.file("DESCRIPTION", package = "hmvn")
  )
}

# By name of an export or method, what makes the arguments of a call.
fuzz_calls <- function(m) {
  pick <- function(x) sample(x, 1)[[1]]
  bent <- function(x) if (stats::runif(1) < 0.6) changed_inside(x) else x
  fit <- function() bent(pick(m$fits))
  at_positions <- function() {
    i <- sample(3, 1)
    list(m$fits[[i]], upars = bent(m$positions[[i]]))
  }
  quick <- list(chains = 1, iter_warmup = 10, iter_sampling = 5, seed = 1)
  usual <- list(
    fit_hmvn = function() {
      data <- pick(list(pick(m$data), odd_data(), bent(pick(m$statistics)), bent(pick(m$data))))
      columns <- if (!inherits(data, "hmvn_statistics")) {
        list(group = pick(list(~g, "g", ~ g + w)), features = pick(list(NULL, ~x, ~ x + y)))
      }
      c(list(data), columns, quick, list(pooling = pick(pooling_levels)))
    },
    hmvn_statistics = function() list(pick(list(odd_data(), pick(m$data))), ~g),
    hmvn_statistics_from = function() {
      list(
        n = c(a = 5, b = 3), mean = rbind(a = c(x = 1, y = 2), b = c(2, 1)),
        cov = list(a = diag(2), b = diag(2))
      )
    },
    c = function() unname(lapply(1:2, function(i) bent(pick(m$statistics)))),
    hmvn_prior = function() list(),
    dist_lkj = function() list(eta = 2),
    update = function() c(list(fit()), quick[1:3]),
    summary = function() list(pick(list(fit(), bent(m$imputation)))),
    print = function() {
      list(pick(list(
        fit(), bent(m$imputation), bent(pick(m$statistics)), bent(m$comparison), pick(m$pages)
      )))
    },
    as_draws = function() list(fit()), as_draws_array = function() list(fit()),
    as_draws_rvars = function() list(fit()), as_draws_df = function() list(fit()),
    as_draws_list = function() list(fit()), as_draws_matrix = function() list(fit()),
    as.matrix = function() list(fit()), as.array = function() list(fit()),
    as.data.frame = function() list(fit()), variables = function() list(fit()),
    nvariables = function() list(fit()), nchains = function() list(fit()),
    niterations = function() list(fit()), ndraws = function() list(fit()),
    group_mean = function() list(fit()), group_sd = function() list(fit()),
    group_cor = function() list(fit()), group_cov = function() list(fit()),
    posterior_impute = function() list(fit(), seed = 1),
    posterior_new_group = function() list(fit(), seed = 1),
    completed = function() list(bent(m$imputation), draw = 1),
    prior_summary = function() list(fit()), stancode = function() list(fit()),
    standata = function() list(fit()),
    predict = function() list(fit(), type = pick(c("response", "group", "distance"))),
    compare_groups = function() list(fit()), group_distance = function() list(fit()),
    posterior_predict = function() list(fit(), seed = 1),
    predictive_error = function() list(fit(), seed = 1),
    augment.hmvn_fit = function() list(fit()),
    plot.hmvn_fit = function() {
      list(fit(), type = pick(c("ellipses", "correlations", "shrinkage")))
    },
    log_prob = function() at_positions(), constrain_pars = function() c(at_positions(), seed = 1),
    extend = function() list(fit(), iter_sampling = 30, checkpoint = NULL),
    resume_hmvn = function() list(m$checkpoint), partial_hmvn = function() list(m$checkpoint),
    hmvn_progress = function() list(m$checkpoint),
    file_chunks = function() list(m$file, read = readLines),
    as_hmvn_statistics = function() list(bent(m$table)),
    as.data.frame.hmvn_statistics = function() list(bent(pick(m$statistics))),
    as_table = function() list(pick(list(fit(), bent(m$comparison)))),
    loo_compare.hmvn_fit = function() list(fit(), fit()),
    bf.hmvn_fit = function() list(fit(), fit()),
    bayes_factor.hmvn_fit = function() list(fit(), fit()),
    c.hmvn_fit = function() list(fit(), fit()),
    loo_moment_match.hmvn_fit = function() list(fit(), loo = bent(m$loo))
  )
  # what takes a fit and needs nothing else
  where <- asNamespace("hmvn")
  alone <- c(
    "unconstrain_pars", "group_ellipse", "group_overlap", "group_slope", "between_cor",
    "between_cov", "within_between", "outlying_groups", "closest_groups", "posterior_linpred",
    "log_lik", "posterior_epred", "predictive_interval", "posterior_interval", "partial_cor",
    "precision", "group_volume",
    grep("[.]hmvn_fit$", ls(where), value = TRUE)
  )
  # emmeans alone calls the first, and what it is handed is emmeans'
  alone <- setdiff(
    alone, c("emm_basis.hmvn_fit", names(usual), paste0(names(usual), ".hmvn_fit"))
  )
  usual[alone] <- list(function() list(fit()))
  usual
}

# A random call: list(name, args).
fuzz_call <- function(m, calls = fuzz_calls(m)) {
  name <- sample(names(calls), 1, prob = ifelse(names(calls) == "fit_hmvn", 16, 1))
  list(name = name, args = bend_arguments(calls[[name]](), name))
}

# Puts odd values in the place of some arguments, or adds one.
bend_arguments <- function(args, name) {
  method <- paste0(name, ".hmvn_fit")
  where <- asNamespace("hmvn")
  known <- names(formals(get(if (exists(method, where)) method else name, where)))
  has_dots <- "..." %in% known
  known <- setdiff(known, c("...", "x", "object", "fit", if (length(known) == 1L) known))
  # R itself refuses what a function without dots does not know
  if (has_dots && stats::runif(1) < 0.1) known <- "misspelt"
  for (i in seq_len(sample(0:2, 1))) {
    value <- list(odd_value())
    if (length(known) > 0) args[sample(known, 1)] <- value
  }
  args
}

# Runs one call: "result", "refused", or a text of what is wrong.
fuzz_once <- function(call, seconds = 10) {
  on.exit(setTimeLimit())
  # another package's method, or none, where an object has lost its class
  if (!has_own_method(call)) {
    return("not ours")
  }
  setTimeLimit(elapsed = seconds, transient = TRUE)
  f <- get(call$name, asNamespace("hmvn"))
  tryCatch(
    {
      utils::capture.output(suppressWarnings(suppressMessages(
        do.call(f, call$args, quote = TRUE)
      )))
      "result"
    },
    hmvn_error = function(e) {
      said <- tryCatch(paste(conditionMessage(e), collapse = " "), error = identity)
      fine <- is.character(said) && nchar(said, "bytes") > 0
      if (fine) "refused" else "its message cannot be made"
    },
    error = function(e) paste(class(e)[[1]], tryCatch(conditionMessage(e), error = function(e) "?"))
  )
}

# Does a generic of ours or of another package meet an object that we have a method for?
has_own_method <- function(call) {
  where <- asNamespace("hmvn")
  if (!is_generic(get(call$name, where))) {
    return(TRUE)
  }
  first <- if (length(call$args)) call$args[[1]]
  methods <- paste0(call$name, ".", c(class(first), "default"))
  any(vapply(methods, exists, NA, where, inherits = FALSE))
}

is_generic <- function(f) {
  is.primitive(f) || "UseMethod" %in% all.names(body(f))
}
