# Numbers by group as people publish them: vectors, matrices, lists, arrays, with names or without.

# internal -----------------------------------------------------------------

# A matrix [group, feature] with both names from what the user gave. `features`: NULL where it is
# `x` that names them.
group_rows <- function(x, labels, features, arg, call) {
  if (is.list(x) && !is.data.frame(x)) {
    return(rows_of_list(x, labels, features, arg, call))
  }
  x <- as_rows(x, labels)
  if (!is.numeric(x) || length(dim(x)) != 2L || nrow(x) != length(labels)) {
    found <- describe_shape(x)
    size <- length(labels)
    abort_from("{.arg {arg}} must be a matrix with one row a group ({size} here) or a list.",
      "It is {found}.", arg, call = call
    )
  }
  if (!is.null(rownames(x))) {
    x <- x[match_names(rownames(x), labels, arg, "group", call), , drop = FALSE]
  }
  features <- features %||% check_feature_names(colnames(x), arg, call)
  if (ncol(x) != length(features)) {
    found <- ncol(x)
    size <- length(features)
    abort_from("{.arg {arg}} must have one column a feature.",
      "It has {found} column{?s}, not {size}.", arg, call = call
    )
  }
  if (!is.null(colnames(x))) {
    x <- x[, match_names(colnames(x), features, arg, "feature", call), drop = FALSE]
  }
  matrix(as.double(x), length(labels), dimnames = list(labels, features))
}

# A data frame as a matrix, its automatic row names left out; a vector of one group as a row.
as_rows <- function(x, labels) {
  if (is.data.frame(x)) {
    x <- as.matrix(x, rownames.force = .row_names_info(x) > 0L)
  }
  if (is.numeric(x) && is.null(dim(x)) && length(labels) == 1L) {
    x <- matrix(x, 1L, dimnames = list(NULL, names(x)))
  }
  x
}

# A list of one vector a group as a matrix.
rows_of_list <- function(x, labels, features, arg, call) {
  x <- lapply(x, function(v) if (is.list(v)) unlist(v) else v)
  if (is.null(features)) {
    named <- Filter(function(v) !is.null(names(v)), x)
    features <- check_feature_names(if (length(named)) names(named[[1L]]), arg, call)
  }
  x <- pick_groups(x, labels, arg, call)
  rows <- Map(function(v, label) {
    plain <- is.numeric(v) && !is.object(v) && length(v) == length(features)
    if (!plain) {
      found <- describe_value(v)
      abort_from("Every element of {.arg {arg}} must be a vector of the features' numbers.",
        "For group {.val {label}} it is {found}.", arg, label, call = call
      )
    }
    if (is.null(names(v))) v else v[match_names(names(v), features, arg, "feature", call, label)]
  }, x, labels)
  matrix(
    as.double(unlist(rows)), length(labels),
    byrow = TRUE, dimnames = list(labels, features)
  )
}

check_feature_names <- function(features, arg, call) {
  if (!are_names(features)) {
    found <- if (is.null(features)) "not there" else toString(printable(features))
    abort_from("Columns of {.arg {arg}} must be named by the features, once each.",
      "The names are {found}.", arg, call = call
    )
  }
  features
}

# The positions of `wanted` among the names that were given; `group`: whose they are, if one's.
match_names <- function(given, wanted, arg, what, call, group = NULL) {
  if (!setequal(given, wanted) || anyDuplicated(given)) {
    shown <- few(printable(given))
    wanted <- few(wanted)
    where <- if (length(group)) " in group {.val {group}}"
    abort_from("Names of {what}s in {.arg {arg}} must be those of the {what}s.",
      paste0("They are {.val {shown}}", where, ", not {.val {wanted}}."), arg, group, call = call
    )
  }
  match(wanted, given)
}

# How many groups an argument has numbers of, and their names: NULL where it cannot be told.
groups_in <- function(x, is_rows) {
  if (is.list(x) && !is.data.frame(x)) {
    list(n = length(x), names = names(x))
  } else if (length(dim(x)) == 2L && is_rows) {
    names <- if (!is.data.frame(x) || .row_names_info(x) > 0L) rownames(x)
    list(n = nrow(x), names = names)
  } else if (length(dim(x)) == 3L) {
    list(n = dim(x)[[1L]], names = dimnames(x)[[1L]])
  }
}

# All arguments at once: where one of them disagrees it is often `n`. `given`: named list.
check_group_counts <- function(given, labels, call) {
  found <- Map(function(x, arg) groups_in(x, arg %in% c("mean", "sd")), given, names(given))
  found <- Filter(function(groups) !is.null(groups) && groups$n != length(labels), found)
  if (length(found) == 0L) {
    return(invisible())
  }
  said <- vapply(found, function(groups) {
    of <- if (!is.null(groups$names)) paste0(" (", toString(printable(groups$names), 60L), ")")
    paste0("has ", groups$n, of)
  }, "")
  said <- paste(paste0("`", names(found), "` ", said), collapse = ", ")
  size <- length(labels)
  abort_from(
    "{.arg mean}, {.arg cov}, {.arg cor} and {.arg sd} must be of the groups of {.arg n}.",
    "{.arg n} has {size} group{?s}, {said}.", names(found)[[1L]],
    call = call
  )
}

pick_groups <- function(x, labels, arg, call) {
  if (is.null(names(x))) x else x[match_names(names(x), labels, arg, "group", call)]
}

group_matrices <- function(x, labels, features, arg, call) {
  if (is.matrix(x) && length(labels) == 1L) {
    x <- list(x)
  } else if (is.array(x) && length(dim(x)) == 3L) {
    names <- dimnames(x)[[1L]]
    x <- lapply(seq_len(dim(x)[[1L]]), function(g) {
      array(x[g, , ], dim(x)[2:3], dimnames(x)[2:3])
    })
    names(x) <- names
  } else if (!is.list(x)) {
    found <- describe_shape(x)
    abort_from("{.arg {arg}} must be a list of matrices or an array [group, feature, feature].",
      "It is {found}.", arg, call = call
    )
  }
  x <- pick_groups(x, labels, arg, call)
  K <- length(features)
  Map(function(m, label) {
    if (!is.matrix(m) && K == 1L && length(m) == 1L) m <- matrix(m, 1L, 1L)
    if (is.logical(m) && all(is.na(m))) storage.mode(m) <- "double" # NA by itself is logical
    if (!is.matrix(m) || !identical(dim(m), c(K, K)) || !is.numeric(m) || is.object(m)) {
      found <- describe_shape(m)
      abort_from("Every element of {.arg {arg}} must be a matrix of numbers, {K} x {K} here.",
        "For group {.val {label}} it is {found}.", arg, label, call = call
      )
    }
    m <- unname(in_feature_order(m, features, arg, call, label)) + 0 # integers to doubles
    check_sides(m, features, arg, label, call)
    m
  }, x, labels)
}

# Half a table is no matrix: what is known on one side of the diagonal must be on the other.
check_sides <- function(m, features, arg, label, call) {
  one_side <- which(is.na(m) & !is.na(t(m)), arr.ind = TRUE)
  if (length(one_side) > 0L) {
    of <- features[one_side[1L, ]]
    abort_from("Matrices in {.arg {arg}} must be the same on both sides of their diagonal.",
      "In group {.val {label}} that of {.field {of[1]}} and {.field {of[2]}} is NA on one side.",
      arg, label, call = call
    )
  }
}

# Names on one side of a symmetric matrix are those of the other too.
in_feature_order <- function(m, features, arg, call, label) {
  names <- list(rownames(m) %||% colnames(m), colnames(m) %||% rownames(m))
  if (is.null(names[[1L]])) {
    return(m)
  }
  order <- lapply(names, match_names, features, arg, "feature", call, label)
  m[order[[1L]], order[[2L]], drop = FALSE]
}

describe_shape <- function(x) {
  if (is.null(dim(x)) || is.data.frame(x) || !is.numeric(x)) {
    return(describe_value(x))
  }
  paste("of dimension", paste(dim(x), collapse = " x "))
}

abort_from <- function(must, problem, arg, group = NULL, call = NULL, .envir = parent.frame()) {
  abort_hmvn(
    c(must, x = problem), "statistics",
    argument = arg, group = group, call = call, .envir = .envir
  )
}
