# What an hmvn_statistics object must be, whoever made it: C++ reads its arrays as they stand.

# internal -----------------------------------------------------------------

# Every entrance that takes statistics from the user calls this. `arg`: the argument they came in.
validate_statistics <- function(statistics, arg, call) {
  fine <- function(ok, problem, group = NULL) {
    if (isTRUE(ok)) {
      return(invisible())
    }
    abort_hmvn(
      c(
        "Statistics must be as {.fn hmvn_statistics} makes them.",
        x = "In these {problem}.",
        i = "Make them anew by {.fn hmvn_statistics} or {.fn hmvn_statistics_from}."
      ),
      "statistics", argument = arg, group = group, call = call
    )
  }
  validate_statistics_shape(statistics, fine)
  validate_moments(statistics, fine)
  statistics
}

statistics_parts <- c(
  "labels", "keys", "features", "patterns", "n_rows", "n_empty", "n_missing", "weighted"
)

# Types, names and sizes: what it takes to index them. `fine(ok, problem)` stops unless ok.
validate_statistics_shape <- function(s, fine) {
  fine(inherits(s, "hmvn_statistics") && is.list(s), "there are no statistics")
  fine(identical(names(s), statistics_parts), "parts have other names")
  fine(are_names(s$labels), "labels of groups are not unique names")
  fine(are_names(s$features), "names of features are not unique names")
  fine(is.data.frame(s$keys) && is.list(s$keys), "`keys` are no data frame")
  keys_fit <- all(lengths(s$keys) == length(s$labels)) && length(s$keys) > 0L
  fine(keys_fit && are_names(names(s$keys)), "`keys` do not fit the groups")
  counts <- s[c("n_rows", "n_empty", "n_missing")]
  whole <- vapply(counts, function(n) is_plain_number(n) && n >= 0, TRUE)
  fine(all(whole), "counts of rows and cells are no numbers")
  fine(is.logical(s$weighted) && length(s$weighted) == 1L && !is.na(s$weighted),
    "`weighted` is not TRUE or FALSE")
  validate_patterns(s$patterns, length(s$labels), length(s$features), fine)
}

validate_patterns <- function(patterns, n_groups, n_features, fine) {
  parts <- c("group", "n", "observed", "mean", "scatter")
  fine(is.list(patterns) && identical(names(patterns), parts), "`patterns` has other parts")
  group <- patterns$group
  # they are read as integers, in order
  fine(is.integer(group) && !is.object(group), "groups of patterns are not whole numbers")
  inside <- length(group) == 0L || isTRUE(min(group) >= 1L && max(group) <= n_groups)
  fine(inside, "patterns belong to groups that are not there")
  fine(!is.unsorted(group), "patterns are not in the order of their groups")
  P <- length(group)
  shaped <- function(x, type, size) type(x) && !is.object(x) && identical(dim(x), as.integer(size))
  K <- n_features
  fine(is.double(patterns$n) && length(patterns$n) == P, "`n` has another length")
  fine(shaped(patterns$observed, is.logical, c(K, P)), "`observed` has another shape")
  fine(shaped(patterns$mean, is.double, c(K, P)), "`mean` has another shape")
  fine(shaped(patterns$scatter, is.double, c(K, K, P)), "`scatter` has another shape")
}

# The numbers themselves
validate_moments <- function(s, fine) {
  p <- s$patterns
  K <- length(s$features)
  if (length(p$n) == 0L) {
    return(invisible())
  }
  all_fine <- function(ok, problem) {
    bad <- which(!ok)
    if (length(bad) == 0L) {
      return(invisible())
    }
    label <- s$labels[[p$group[[bad[[1L]]]]]]
    fine(FALSE, paste0(problem, ", of group ", encodeString(label, quote = "\"")), label)
  }
  all_fine(is.finite(p$n) & p$n > 0, "`n` is not positive and finite")
  all_fine(!is.na(colSums(p$observed)) & colSums(p$observed) > 0, "a pattern observes nothing")
  all_fine(is.finite(max_of_columns(abs(p$mean))), "`mean` is not finite")
  scatter <- matrix(p$scatter, K * K)
  largest <- max_of_columns(abs(scatter))
  all_fine(is.finite(largest), "`scatter` is not finite")
  mirrored <- matrix(aperm(p$scatter, c(2L, 1L, 3L)), K * K)
  asymmetry <- max_of_columns(abs(scatter - mirrored))
  all_fine(asymmetry <= 1e-8 * largest, "`scatter` is not symmetric")
  unseen <- !p$observed
  all_fine(colSums(unseen & p$mean != 0) == 0, "`mean` is not 0 where nothing was observed")
  of_rows <- unseen[rep(seq_len(K), K), , drop = FALSE]
  of_columns <- unseen[rep(seq_len(K), each = K), , drop = FALSE]
  all_fine(
    colSums((of_rows | of_columns) & scatter != 0) == 0,
    "`scatter` is not 0 where nothing was observed"
  )
  all_fine(!indefinite_(p$scatter, K, 1e-6), "`scatter` has a negative eigenvalue")
}

# The largest number of each of a matrix's columns, which may be very many
max_of_columns <- function(x) Reduce(pmax, lapply(seq_len(nrow(x)), function(i) x[i, ]))
