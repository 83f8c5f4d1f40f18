#' Statistics from published numbers
#'
#' Builds what [hmvn_statistics()] returns from the sample sizes, means and covariance
#' (or correlation and standard deviation) of each group, as a paper reports them.
#'
#' @param n Number of rows a group, at least 1; its names are the groups' labels. (Unnamed:
#'   `"1"`, `"2"`, ...) Left out where `known = TRUE`.
#' @param mean Means: a matrix or data frame \[group, feature\], or a list of one vector a
#'   group; its column names (or the vectors' names) are the features. With one group a
#'   vector will do.
#' @param cov Covariance matrices with divisor n - 1: a list of one matrix a group, or an
#'   array \[group, feature, feature\]. With one group a matrix will do.
#' @param cor,sd In place of `cov`: correlation matrices in the same forms (not needed
#'   with one feature) and standard deviations (divisor n - 1) in the form of `mean`.
#' @param known If `TRUE`, `mean` are estimates and `cov` (or `sd` and `cor`) their *known*
#'   covariance matrices, as in a meta-analysis: see below.
#' @details Names are matched where given, also those of the rows, the list's elements and the
#'   vectors in them: groups by the names of `n`, features by those of `mean`. What has no names
#'   is in the order of `n` and of the features of `mean`. (Automatic row names of a data frame are
#'   none.) A group with n = 1 has no covariances: they are left out, `NA` or 0.
#'
#'   **Features that a group lacks** are `NA` in its `mean`, and in its `cov`, or `sd` and `cor`,
#'   too (the diagonal of `cor` may be 1). `c()` puts studies of different features together, see
#'   [hmvn_statistics()].
#'
#'   **Correlations alone**, `n` and `cor`, are read as those of features that were standardised
#'   within each group: mean 0 and sd 1, as if observed. The names of the matrices are the features.
#'   Of a fit to them the correlations are of interest; means and sds only say how well a sample of
#'   that size would know them. `pooling = c(mean = "complete", sd = "complete", cor = "partial")`
#'   is the usual model of many studies' correlation matrices. Of few studies the typical matrix
#'   `Omega0` leans on its prior and is no average of theirs: with one correlation of 0.85 (n = 305)
#'   and one of 0.47 (n = 112), average 0.66, among six features the posterior is 0.56, from 0.34 to
#'   0.73, under LKJ(2) on the features, and 0.75, from 0.65 to 0.84, with `frame = "pooled"`, whose
#'   centre is the average weighted by rows. Of many studies the prior says little.
#'
#'   **Standard deviations alone**, of several features and without `cor`, are read as if each
#'   feature had been measured on other rows, n of them each (`n_rows` counts them so). For features
#'   of the same rows that is an approximation: it gives each feature's mean and sd their own due,
#'   and says nothing of the correlations, which keep their prior. **Single correlations** that are
#'   not known, `NA` in `cor` or `cov`, are read in the same way where the features fall into sets,
#'   all correlations known within each and none between: each set as if of other rows. Other
#'   patterns have no such reading and are refused, and so is a matrix of which only one side of the
#'   diagonal is given.
#'
#'   **Estimates with known covariance** (`known = TRUE`): each group (study) has a vector of
#'   estimates y with covariance matrix V, and y ~ Normal(mu, V), equation (K1) of
#'   `vignette("model")`. Groups are the rows of `mean`. What [fit_hmvn()] learns from them are the
#'   means mu of every group, those of the typical group, and the covariance between groups: with
#'   `pooling = c(mean = "partial")` the multivariate random-effects meta-analysis. There are no
#'   sds or correlations within groups to learn. The default prior of means is scaled with the
#'   estimates, of which one that is less precise than the median weighs less. Means in common
#'   (the common-effect model) and unpooled means have posteriors in closed form, and are
#'   refused: under wide priors the common means are the estimates' average with the inverses of
#'   V as weights, `solve(Reduce("+", W), Reduce("+", Map("%*%", W, y)))` with covariance
#'   `solve(Reduce("+", W))` where `W` is `lapply(V, solve)`, and unpooled means are Normal(y,
#'   V).
#' @return An object of class `hmvn_statistics`.
#' @section Errors: Class `hmvn_error_statistics`, naming the argument and the group.
#' @section Messages: What is assumed of correlations or of standard deviations alone is said in
#'   messages of class `hmvn_message_standardised` and `hmvn_message_no_cor`.
#' @seealso [hmvn_statistics()] for statistics of rows, [fit_hmvn()], which takes them.
#' @examples
#' hmvn_statistics_from(
#'   n = c(a = 20, b = 12),
#'   mean = rbind(a = c(x = 1, y = 2), b = c(x = 0, y = 5)),
#'   sd = rbind(a = c(x = 1, y = 1), b = c(x = 2, y = 1)),
#'   cor = list(a = matrix(c(1, 0.5, 0.5, 1), 2), b = diag(2))
#' )
#' # two estimates of each of two studies, with their known covariance matrices
#' hmvn_statistics_from(
#'   mean = rbind(a = c(x = 0.5, y = -0.3), b = c(x = 0.2, y = -0.6)),
#'   cov = list(a = matrix(c(8, 3, 3, 8), 2) / 1000, b = matrix(c(6, 1, 1, 1), 2) / 1000),
#'   known = TRUE
#' )
#' @export
hmvn_statistics_from <- function(n, mean = NULL, cov = NULL, cor = NULL, sd = NULL, known = FALSE) {
  call <- rlang::current_env()
  known <- check_flag(known, "known", call)
  if (known) n <- check_estimates(mean, missing(n), call)
  n <- check_group_sizes(n, call)
  given <- list(mean = mean, cov = cov, cor = cor, sd = sd)
  check_spreads_once(given, call)
  check_group_counts(given, names(n), call)
  published <- if (is.null(mean)) {
    read_correlations(cor, names(n), call)
  } else {
    read_published(given, names(n), call)
  }
  check_lacking(published, call)
  check_single_rows(published, n, call)
  patterns <- merge_patterns(published_patterns(published, n, call))
  if (known) patterns$n[] <- 1
  keys <- structure(list(group = names(n)), row.names = seq_along(n), class = "data.frame")
  n_rows <- sum(patterns$n)
  statistics <- new_statistics(
    list(labels = names(n), keys = keys), colnames(published$mean), patterns,
    list(
      n_rows = n_rows, n_empty = 0, n_missing = sum(patterns$n * colSums(!patterns$observed))
    ),
    weighted = FALSE
  )
  statistics$known <- known
  if (known) check_known(statistics, published$arg, call)
  statistics
}

# internal -----------------------------------------------------------------

# Groups are the rows of `mean`. As if each had two rows, the scatter is the covariance matrix.
check_estimates <- function(mean, n_missing, call) {
  if (!n_missing) {
    abort_from("{.arg n} has no meaning where covariances are known.", "It is given.", "n",
      call = call
    )
  }
  size <- if (is.list(mean) && !is.data.frame(mean)) length(mean) else NROW(mean)
  names <- if (is.list(mean) && !is.data.frame(mean)) names(mean) else rownames(mean)
  if (is.null(mean) || is.null(names)) {
    abort_from("{.arg mean} must name its groups where covariances are known.",
      if (is.null(mean)) "It is not given." else "Its rows have no names.", "mean",
      call = call
    )
  }
  stats::setNames(rep(2, size), names)
}

check_known <- function(statistics, arg, call) {
  patterns <- statistics$patterns
  if (anyDuplicated(patterns$group)) {
    abort_from("Estimates need their whole covariance matrix.", "Covariances are lacking.", "cor",
      call = call
    )
  }
  for (p in seq_along(patterns$n)) {
    seen <- patterns$observed[, p]
    if (!is_positive_definite(patterns$scatter[seen, seen, p])) {
      label <- statistics$labels[[patterns$group[[p]]]]
      abort_from("Known covariance matrices must be positive definite.",
        "That of group {.val {label}} is not.", arg, label, call = call
      )
    }
  }
}

# `given`: a list of mean, cov, cor and sd.
check_spreads_once <- function(given, call) {
  given <- names(given)[!vapply(given, is.null, TRUE)]
  spreads <- setdiff(given, "mean")
  if (!"mean" %in% given && !identical(spreads, "cor")) {
    abort_from("{.arg mean} must be given, but with {.arg cor} alone.",
      if (length(given)) "Given: {.arg {given}}." else "Nothing but {.arg n} is given.", "mean",
      call = call
    )
  }
  fine <- identical(spreads, "cov") || ("sd" %in% spreads && !"cov" %in% spreads) ||
    identical(given, "cor")
  if (!fine) {
    abort_from("Spreads must be given once: {.arg cov}, or {.arg sd} and {.arg cor}.",
      if (length(spreads)) "Given: {.arg {spreads}}." else "None is given.", "cov",
      call = call
    )
  }
}

check_group_sizes <- function(n, call) {
  if (is.list(n) && !is.object(n) && all(lengths(n) == 1L)) n <- unlist(n)
  if (!is.numeric(n) || is.object(n) || length(n) == 0L || !all(is.finite(n)) || any(n < 1)) {
    found <- if (is.numeric(n)) toString(format(n), 200L) else describe_value(n)
    abort_from("{.arg n} must be the number of rows of every group, at least 1.",
      "It is {found}.", "n", call = call
    )
  }
  labels <- names(n) %||% as.character(seq_along(n))
  if (!are_names(labels)) {
    shown <- printable(labels)
    abort_from("Names of {.arg n} must be unique labels of groups.",
      "They are {.val {shown}}.", "n", call = call
    )
  }
  stats::setNames(as.double(n), labels)
}

# A feature is there or not: in means and in spreads alike.
check_lacking <- function(published, call) {
  for (g in seq_len(nrow(published$mean))) {
    label <- rownames(published$mean)[[g]]
    lacks <- is.na(published$mean[g, ])
    if (all(lacks)) {
      abort_from("Every group must have a feature.", "Group {.val {label}} has none.", "mean",
        label, call = call
      )
    }
    said <- lacks & rowSums(!is.na(published$given[[g]])) > 0
    if (any(said)) {
      features <- names(lacks)[said]
      arg <- published$arg
      abort_from("A feature that a group lacks must be NA in all that is given.",
        "Group {.val {label}} has no mean of {.field {features}}, but numbers in {.arg {arg}}.",
        "mean", label, call = call
      )
    }
  }
}

# One row has no spread: numbers given for it would not be used.
check_single_rows <- function(published, n, call) {
  for (g in which(n == 1)) {
    if (any(published$given[[g]] != 0, na.rm = TRUE)) {
      label <- names(n)[[g]]
      arg <- published$arg
      abort_hmvn(
        c(
          "A group with n = 1 has no spread: it must be NA or 0.",
          x = "Group {.val {label}} has one in {.arg {arg}}.",
          i = "If it is the known covariance of an estimate, leave {.arg n} out and give
               {.code known = TRUE}."
        ),
        "statistics", argument = arg, group = label, call = call
      )
    }
  }
}
