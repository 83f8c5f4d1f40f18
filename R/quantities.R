# The quantities of a fit: one table, one row a quantity. Draws, summary, diagnostics, print and
# what asks for a quantity by name all read it here. To add a quantity, add a row; what it is
# computed by is a function in derived_values.R.

# internal -----------------------------------------------------------------

# A row.
# name: as the user reads it.
# index: what it is indexed by, a letter each: "g" group, "c" covariate, "f" feature. "ff": a
#   symmetric matrix, of which the packed form has the lower triangle, row by row.
# from: the parts of fit$draws it is computed from; the fit has it if it has these.
# values: list(packed = , full = ), functions of (fit, groups), either or both: packed gives
#   [iteration, chain, entry], the entries of one group after those of another; full gives
#   [iteration, chain, (group,) feature, ...]. Each is made of the other where it is not given.
# ...: what else the row says, see below.
quantity_row <- function(name, index, from, values, ...) {
  given <- list(...)
  row <- list(
    name = name, index = index, from = from, values = values,
    # the pooling block that it belongs to; "" none
    block = "",
    # who reads it: "draws" and summary, "summary" alone, or who asks by "name"
    readers = "draws",
    # does C++ summarise it from the stored draws of `from`, without an array of it?
    summarised_in_core = FALSE,
    # are its draws judged after sampling?
    judged = FALSE,
    # a correlation matrix: ones on the diagonal, which the packed form leaves out
    unit_diagonal = FALSE,
    # in print: the title of its table; which quantity is that of the typical group
    title = "", typical = "",
    # has the fit it, besides the draws it is computed from?
    if_fit = function(fit) TRUE,
    # whose coefficients have it, by their pooling (where it is of coefficients)
    of_levels = pooling_levels
  )
  stopifnot(names(given) %in% names(row))
  row[names(given)] <- given
  row$by_group <- startsWith(index, "g")
  row
}

quantities <- list(
  # of a group
  quantity_row("mu", "gf", "mean", list(packed = mean_draws), block = "mean",
    summarised_in_core = TRUE, judged = TRUE, title = "Means", typical = "mu0"),
  quantity_row("beta", "gcf", "slope", list(packed = slope_draws), block = "slope", judged = TRUE,
    title = "Slopes", typical = "beta0"),
  quantity_row("sigma", "gf", "chol", values_of_factors("sigma"), block = "sd",
    summarised_in_core = TRUE, judged = TRUE, title = "Sds", typical = "sigma0"),
  quantity_row("Omega", "gff", "chol", values_of_factors("Omega"), block = "cor",
    summarised_in_core = TRUE, judged = TRUE, title = "Correlations", typical = "Omega0",
    unit_diagonal = TRUE),
  quantity_row("Sigma", "gff", "chol", values_of_factors("Sigma"), summarised_in_core = TRUE),
  quantity_row("precision", "gff", "chol", values_of_factors("precision"), readers = "name"),
  quantity_row("partial_cor", "gff", "chol", list(full = partial_draws), readers = "name",
    unit_diagonal = TRUE),


  # of the population, the typical group
  quantity_row("mu0", "f", "mean0", values_as_stored("mean0"), block = "mean", judged = TRUE,
    of_levels = c("partial", "complete")),
  quantity_row("sigma0", "f", "scale0", values_as_stored("scale0"), block = "sd", judged = TRUE,
    if_fit = function(fit) fit$pooling[["sd"]] != "none"),
  quantity_row("Omega0", "ff", "chol_cor0", values_of_population("Omega"), block = "cor",
    judged = TRUE, unit_diagonal = TRUE, if_fit = function(fit) fit$pooling[["cor"]] != "none"),
  quantity_row("Sigma0", "ff", "scale0", values_of_population("Sigma"),
    if_fit = function(fit) {
      fit$pooling[["sd"]] != "none" && (n_features(fit) == 1L || fit$pooling[["cor"]] != "none")
    }),

  quantity_row("beta0", "cf", "slope0", values_as_stored("slope0"), block = "slope", judged = TRUE,
    of_levels = c("partial", "complete")),

  # between the groups' means
  quantity_row("Omega_between", "ff", "chol_between", values_of_between("Omega"), block = "mean",
    judged = TRUE, unit_diagonal = TRUE, of_levels = "partial"),
  quantity_row("Sigma_between", "ff", "chol_between", values_of_between("Sigma"), block = "mean",
    of_levels = "partial"),
  quantity_row("icc", "f", c("chol", "h_mean"), list(packed = icc_draws), block = "mean",
    of_levels = "partial"),

  # of pooling
  quantity_row("tau", "f", "h_mean", list(packed = tau_draws), block = "mean",
    of_levels = "partial"),
  quantity_row("h_mean", "f", "h_mean", values_as_stored("h_mean"), block = "mean", judged = TRUE,
    of_levels = "partial"),
  quantity_row("h_sd", "f", "h_sd", values_as_stored("h_sd"), block = "sd", judged = TRUE),
  quantity_row("h_cor", "", "h_cor", values_as_stored("h_cor"), block = "cor", judged = TRUE),
  quantity_row("tau_slope", "cf", "h_slope", list(packed = tau_slope_draws), block = "slope",
    of_levels = "partial"),
  quantity_row("h_slope", "cf", "h_slope", values_as_stored("h_slope"), block = "slope",
    judged = TRUE, of_levels = "partial"),
  # 1 - h^2 is h again: not among the draws
  quantity_row("pooling_mean", "f", "h_mean", values_of_pooling("h_mean"), block = "mean",
    readers = "summary", of_levels = "partial"),
  quantity_row("pooling_sd", "f", "h_sd", values_of_pooling("h_sd"), block = "sd",
    readers = "summary"),
  quantity_row("pooling_cor", "", "h_cor", values_of_pooling("h_cor"), block = "cor",
    readers = "summary"),
  quantity_row("pooling_slope", "cf", "h_slope", values_of_pooling("h_slope"), block = "slope",
    readers = "summary", of_levels = "partial"),
  quantity_row("shrinkage", "gf", c("chol", "h_mean"), list(packed = shrinkage_draws),
    block = "mean", readers = "summary", of_levels = "partial"),

  # of the draw
  quantity_row("lp__", "", "lp", values_as_stored("lp"), judged = TRUE),
  quantity_row("lprior", "", "lprior", values_as_stored("lprior"))
)
names(quantities) <- vapply(quantities, `[[`, "", "name")

# The names of the quantities of a fit that "draws" or "summary" read, in the order of the table.
quantity_names <- function(fit, reader = "summary") {
  readers <- c("draws", if (reader == "summary") "summary")
  here <- vapply(quantities, function(row) {
    row$readers %in% readers && all(vapply(row$from, is_stored, TRUE, fit = fit)) && row$if_fit(fit)
  }, TRUE)
  names(quantities)[here]
}

# One quantity as an array [iteration, chain, its own dimensions], whose dimnames are the user's own
# labels. `groups`: positions; NULL for all.
quantity <- function(fit, name, groups = NULL) {
  groups <- groups %||% seq_len(n_groups(fit))
  with_memory_errors(full_quantity(fit, quantities[[name]], groups), "Draws", NULL)
}

full_quantity <- function(fit, row, groups) {
  values <- if (is.null(row$values$full)) {
    unpack_values(row$values$packed(fit, groups), row, fit, groups)
  } else {
    row$values$full(fit, groups)
  }
  values <- blank_others(values, row, fit)
  labels <- index_labels(fit, row$index, groups)
  dimnames(values) <- if (length(labels)) c(list(NULL, NULL), labels)
  values
}

# The same packed: [iteration, chain, entry], group after group.
packed_quantity <- function(fit, name, groups = NULL) {
  groups <- groups %||% seq_len(n_groups(fit))
  with_memory_errors(packed_values(fit, name, groups), "Draws", NULL)
}

packed_values <- function(fit, name, groups) {
  row <- quantities[[name]]
  if (is.null(row$values$packed)) {
    return(pack_values(row$values$full(fit, groups), packed_layout(fit, name), n_features(fit)))
  }
  values <- row$values$packed(fit, groups)
  has <- has_quantity(fit, row, whole_layout(fit, row))
  if (all(has)) values else values[, , rep(has, length.out = dim(values)[[3L]]), drop = FALSE]
}

# Of the entries of a layout: do their coefficients have the quantity?
has_quantity <- function(fit, row, layout) {
  if (setequal(row$of_levels, pooling_levels)) {
    return(rep(TRUE, nrow(layout)))
  }
  of <- function(feature) {
    at <- ifelse(is.na(layout$covariate), 1L, layout$covariate + 1L)
    fit$coefficients[cbind(at, feature)] %in% row$of_levels
  }
  second <- ifelse(is.na(layout$feature2), layout$feature, layout$feature2)
  of(layout$feature) & of(second)
}

# [iteration, chain, ...], NA where coefficients do not have the quantity: their feature is the last
# index, and of matrices also the one before.
blank_others <- function(values, row, fit) {
  has <- if (row$block == "slope") {
    matrix(fit$coefficients[-1L, ] %in% row$of_levels, n_covariates(fit))
  } else {
    fit$coefficients[1L, ] %in% row$of_levels
  }
  if (all(has)) {
    return(values)
  }
  if (endsWith(row$index, "ff")) has <- outer(has, has)
  values[rep(!has, each = length(values) %/% length(has))] <- NA
  values
}

# The covariate and features of each entry of one group's packed quantity, a data frame covariate,
# feature, feature2: rows of the lower triangle one after another, features of one covariate after
# another; NA where there is no such index.
packed_layout <- function(fit, name) {
  row <- quantities[[name]]
  layout <- whole_layout(fit, row)
  layout[has_quantity(fit, row, layout), , drop = FALSE]
}

# That of all coefficients, whatever their pooling.
whole_layout <- function(fit, row) {
  k <- n_features(fit)
  entries <- function(feature, feature2 = NA_integer_, covariate = NA_integer_) {
    n <- length(feature)
    data.frame(
      covariate = rep_len(covariate, n), feature = feature, feature2 = rep_len(feature2, n)
    )
  }
  layout <- switch(sub("g", "", row$index),
    ff = entries(rep(seq_len(k), seq_len(k)), sequence(seq_len(k))),
    f = entries(seq_len(k)),
    cf = {
      covariate <- rep(seq_len(n_covariates(fit)), each = k)
      entries(rep(seq_len(k), n_covariates(fit)), rep(NA_integer_, length(covariate)), covariate)
    },
    entries(NA_integer_)
  )
  if (row$unit_diagonal) layout[layout$feature != layout$feature2, , drop = FALSE] else layout
}

# The labels of each index of a quantity, a list by letter.
index_labels <- function(fit, index, groups) {
  own <- list(
    g = fit$statistics$labels[groups], c = fit$statistics$covariates, f = fit$statistics$features
  )
  unname(own[strsplit(index, "")[[1L]]])
}

# Stops where a fit was asked for what it does not have. `unknown`: those names; `known`: the
# quantities it has.
check_variables <- function(unknown, known, call) {
  if (length(unknown) == 0L) {
    return(invisible())
  }
  abort_hmvn(
    c(
      "{.arg variable} must name quantities of the fit.",
      x = "The fit has no {.val {unknown}}.",
      i = "It has {.val {known}}."
    ),
    "variable", variable = unknown, call = call
  )
}

# Stops where draws that were not kept are asked for by name. `variable`: quantities or elements of
# them; NULL asks for nothing.
check_kept <- function(fit, variable, call = rlang::caller_env()) {
  needed <- lapply(sub("\\[.*", "", variable), function(name) {
    unname(kept_parts[intersect(quantities[[name]]$from, names(kept_parts))])
  })
  absent <- lapply(needed, setdiff, kept(fit))
  lacking <- lengths(absent) > 0L
  if (any(lacking)) abort_not_kept(fit, variable[lacking], unlist(absent), call)
}

# Quantities whose draws are judged after sampling. `common`: those that all groups share (else
# those of which every group has its own). Under complete pooling the population's values are the
# groups' and not looked at twice, but for a frame in which sds or correlations alone are common;
# what belongs to no block comes first.
judged_quantities <- function(fit, common) {
  rows <- quantities[quantity_names(fit)]
  apart <- fit$prior$frame$kind != "raw" && is_stored(fit, "chol") && !is_common(fit, "chol")
  chosen <- vapply(rows, function(row) {
    by_group <- row$by_group && !is_common(fit, row$from[[1L]])
    looked_at <- row$by_group || row$block == "" ||
      fit$pooling[[row$block]] %in% c("partial", "mixed") ||
      (apart && row$block %in% c("sd", "cor"))
    row$judged && looked_at && by_group != common && nrow(packed_layout(fit, row$name)) > 0L
  }, TRUE)
  names <- names(rows)[chosen]
  names[order(vapply(quantities[names], `[[`, "", "block") != "")]
}
