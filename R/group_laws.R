# A group's Normal distribution as matrices of draws, the typical group's too: what comparisons of
# groups compute with.

# internal -----------------------------------------------------------------

typical_label <- "typical"

# list(mean = [draw, K], chol = [draw, packed], slope = [draw, K C], label) of a group by position,
# without what was not kept or is not there; 0: the typical group.
group_law <- function(fit, group, chosen) {
  if (group == 0L) {
    return(typical_law(fit, chosen))
  }
  list(
    mean = if (is_stored(fit, "mean")) draw_matrix(mean_draws(fit, group), chosen),
    chol = if (is_stored(fit, "chol")) draw_matrix(chol_draws(fit, group), chosen),
    slope = if (is_stored(fit, "slope")) draw_matrix(slope_draws(fit, group), chosen),
    label = fit$statistics$labels[[group]]
  )
}

# The factor of Sigma0 is that of Omega0 with its rows scaled.
typical_law <- function(fit, chosen) {
  k <- n_features(fit)
  scale <- draw_matrix(fit$draws$scale0, chosen)
  factor <- if (k == 1L) 1 else draw_matrix(fit$draws$chol_cor0, chosen)
  list(
    mean = draw_matrix(fit$draws$mean0, chosen),
    chol = scale[, rep(seq_len(k), seq_len(k)), drop = FALSE] * factor,
    slope = draw_matrix(fit$draws$slope0, chosen), label = typical_label
  )
}

# Of slopes it need not have any.
has_typical_group <- function(fit) {
  pooling <- pooling_of(model_of(fit))
  all(fit$coefficients["mean", ] != "none") &&
    all(pooling[intersect(names(pooling), c("sd", "cor"))] != "none")
}

# A label of a group, or "typical", as a position; 0: the typical group. `generic`: whose argument
# it is.
match_reference <- function(fit, label, arg, generic, call) {
  if (!identical(label, typical_label) || label %in% fit$statistics$labels) {
    if (length(label) != 1L) abort_argument(arg, "one label of a group", label, call)
    return(match_groups(fit, label, call, arg))
  }
  if (has_typical_group(fit)) {
    return(0L)
  }
  abort_no_meaning(
    generic, "Without pooling of means, sds and correlations there is no typical group.",
    "it with a group's label, or fit with {.code pooling = \"partial\"}", call
  )
}

# The law of some of its features, by position, in that order. The rows of the factor that are kept
# are made triangular by rotating them, all draws at once: L L' is never formed.
margin_law <- function(law, features) {
  k <- law_features(law)
  if (identical(features, seq_len(k))) {
    return(law)
  }
  if (!is.null(law$mean)) law$mean <- law$mean[, features, drop = FALSE]
  if (!is.null(law$slope)) {
    of <- rep(seq_len(k), length.out = ncol(law$slope))
    at <- unlist(lapply(split(seq_along(of), cumsum(of == 1L)), `[`, features))
    law$slope <- law$slope[, at, drop = FALSE]
  }
  if (!is.null(law$chol)) {
    rows <- lapply(features, function(i) {
      packed <- law$chol[, i * (i - 1L) / 2L + seq_len(i), drop = FALSE]
      cbind(packed, matrix(0, nrow(packed), k - i))
    })
    law$chol <- triangular_rows(rows)
  }
  law
}

# `rows`: [draw, K] each, of matrices B. The packed factors L of L L' = B B', by Gram and Schmidt.
triangular_rows <- function(rows) {
  done <- list()
  out <- lapply(rows, function(row) {
    along <- vapply(done, function(q) {
      inner <- rowSums(row * q)
      row <<- row - inner * q
      inner
    }, double(nrow(row)))
    rest <- sqrt(rowSums(row^2))
    done[[length(done) + 1L]] <<- row / rest
    cbind(matrix(along, nrow(row)), rest, deparse.level = 0)
  })
  do.call(cbind, out)
}

# Names of features as positions, in the order given; NULL: all of the fit's.
feature_positions <- function(fit, features, call) {
  known <- fit$statistics$features
  if (is.null(features)) {
    return(seq_along(known))
  }
  if (length(features) == 0L) abort_argument("features", "names of features", features, call)
  check_choices(features, "features", known, call)
  unique(match(features, known))
}

# An rvar of a function of the draws of two laws. `compare`: list(read = a function of a group's
# position that gives its law, each = one of two laws that gives a number a draw, same = what it is
# of a group and itself, symmetric = does each(a, b) equal each(b, a), size = c(iterations,
# chains)). [group] against the law `reference`; where that is NULL [group, group].
rvar_of_pairs <- function(fit, groups, reference, compare) {
  labels <- fit$statistics$labels[groups]
  n <- length(groups)
  if (!is.null(reference)) {
    found <- vapply(groups, function(g) compare$each(compare$read(g), reference),
      double(prod(compare$size)))
    return(as_rvar(array(found, c(compare$size, n), list(NULL, NULL, labels))))
  }
  laws <- lapply(groups, compare$read)
  out <- array(compare$same, c(prod(compare$size), n, n))
  for (i in seq_len(n)) {
    for (j in seq_len(i - 1L)) {
      out[, i, j] <- compare$each(laws[[i]], laws[[j]])
      out[, j, i] <- if (compare$symmetric) out[, i, j] else compare$each(laws[[j]], laws[[i]])
    }
  }
  as_rvar(array(out, c(compare$size, n, n), list(NULL, NULL, labels, labels)))
}

# What is compared of a law: mean, sd and log_sd [draw, K], cor [draw, pair], log_volume [draw, 1]
# (of the ellipsoid, less a constant: log |L|), log_cov [draw, packed], see log_covariances_().
# `parts`: names of those needed.
law_parts <- function(law, parts, cores) {
  k <- law_features(law)
  derive <- function(kind) {
    packed <- array(law$chol, c(nrow(law$chol), 1L, ncol(law$chol)))
    matrix(derive_quantity_(packed, k, 1L, kind, TRUE), nrow(law$chol))
  }
  made <- list(
    mean = function() law$mean,
    sd = function() derive("sigma"),
    log_sd = function() log(derive("sigma")),
    cor = function() derive("Omega"),
    log_volume = function() {
      diagonal <- law$chol[, cumsum(seq_len(k)), drop = FALSE]
      matrix(rowSums(log(abs(diagonal))))
    },
    log_cov = function() log_covariances_(law$chol, k, cores)
  )
  c(law, lapply(made[setdiff(parts, names(law))], function(make) make()))
}

# Distances of two laws, [draw, measure], of those `measures` asks for.
law_distances <- function(a, b, measures, cores) {
  out <- list()
  if ("log_euclidean" %in% measures) out$log_euclidean <- row_distances_(a$log_cov, b$log_cov)
  if (any(measures != "log_euclidean")) {
    found <- normal_distances_(law_mean(a), a$chol, law_mean(b), b$chol, cores)
    colnames(found) <- distance_measures[-1L]
    out <- c(out, as.list(as.data.frame(found)))
  }
  do.call(cbind, out[measures])
}

law_features <- function(law) {
  if (is.null(law$chol)) ncol(law$mean) else as.integer(sqrt(2 * ncol(law$chol) + 0.25))
}

# Where means were not kept, any do: those distances that depend on them are not asked for then, see
# draws_needed().
law_mean <- function(law) law$mean %||% matrix(0, nrow(law$chol), law_features(law))

# Which draws comparisons need, in the words of `keep`. `quantities`: parts of laws or measures of
# distance.
draws_needed <- function(quantities) {
  of_means <- c(
    "mean", "slope", "bhattacharyya", "jeffreys", "overlap", "within", "contains"
  )
  only_means <- quantities %in% c("mean", "slope")
  c(if (any(quantities %in% of_means)) "mu", if (!all(only_means)) "Sigma")
}

distance_measures <- c("log_euclidean", "affine_invariant", "bhattacharyya", "jeffreys")
