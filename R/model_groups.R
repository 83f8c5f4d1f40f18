# From key columns to group codes 1..G and one printable label a group. Nothing here
# turns N values into strings: integers are tabulated, the rest is hashed.

# internal -----------------------------------------------------------------

# `keys`: named list of columns. Groups are the combinations that occur, ordered by
# the first key, then the second, and so on; a factor's order is that of its levels.
code_groups <- function(keys, call) {
  coded <- Map(function(x, name) code_key(x, name, call), keys, names(keys))
  codes <- coded[[1L]]$codes
  positions <- list(seq_along(coded[[1L]]$values))
  for (key in coded[-1L]) {
    size <- length(key$values)
    # as doubles: the product of two numbers of groups can exceed an integer
    joint <- code_whole((codes - 1) * size + key$codes)
    codes <- joint$codes
    positions <- c(
      lapply(positions, function(p) p[(joint$values - 1) %/% size + 1]),
      list((joint$values - 1) %% size + 1)
    )
  }
  values <- Map(function(key, p) key$values[p], coded, positions)
  labels <- do.call(
    paste, c(unname(Map(function(key, p) key$labels[p], coded, positions)), sep = ":")
  )
  labels <- check_labels(labels, names(keys), call)
  # not data.frame(): names as they are, strings as strings
  values <- structure(
    values, names = names(keys), row.names = seq_along(labels), class = "data.frame"
  )
  list(codes = codes, labels = labels, keys = values)
}

# One key -> codes, the distinct values (original type, in order) and their labels.
code_key <- function(x, name, call) {
  x <- unwrap_key(x)
  check_key_type(x, name, call)
  if (is.factor(x)) {
    return(code_factor(x, name, call))
  }
  coded <- if (is.numeric(x)) code_whole_(x, is.null(attributes(x)))
  if (is.null(coded)) coded <- code_plain(x, name, call)
  coded$labels <- key_labels(coded$values)
  coded
}

# What a table of whole numbers does not do, and why.
code_plain <- function(x, name, call) {
  if (anyNA(x)) {
    abort_missing_key(sum(is.na(x)), name, call)
  }
  if (is.object(x)) {
    x <- unclass(x) # I(x)
  }
  if (is.character(x)) {
    code_by_hash(x)
  } else if (is.logical(x)) {
    code_whole(x + 0L, back = as.logical)
  } else {
    check_whole_key(x, name, call)
    code_by_hash(x)
  }
}

check_key_type <- function(x, name, call) {
  plain <- !is.object(x) || identical(class(x), "AsIs")
  plain <- plain && (is.character(x) || is.numeric(x) || is.logical(x))
  if ((plain || is.factor(x)) && is.null(dim(x))) {
    return(invisible(NULL))
  }
  found <- if (is.list(x)) {
    "a list column"
  } else if (!is.null(dim(x))) {
    "a matrix column"
  } else {
    paste0("of class <", paste(class(x), collapse = "/"), ">")
  }
  abort_hmvn(
    c(
      "A group column must be character, factor, whole numbers or logical.",
      x = "Column {.field {name}} is {found}.",
      i = "Convert it, for example by {.fn as.character}."
    ),
    "group", argument = "group", column = name, call = call
  )
}

# `has_rows`: do positions in x mean rows of the user's?
check_whole_key <- function(x, name, call, has_rows = TRUE) {
  if (is.integer(x)) {
    return(invisible(NULL))
  }
  largest <- max(abs(range(x)))
  if (largest > 2^53 || any(x != trunc(x))) {
    # abs(x) > 2^53 also finds the infinite ones
    row <- which(abs(x) > 2^53 | x != trunc(x))[[1L]]
    found <- format(x[[row]], digits = 17)
    abort_hmvn(
      c(
        "A numeric group column must hold whole numbers up to 2^53.",
        x = paste0("Column {.field {name}} is {found}", if (has_rows) " in row {row}", "."),
        i = "Cut it into classes by {.fn cut}, or convert it by {.fn as.character}."
      ),
      "group", argument = "group", column = name, row = if (has_rows) row, call = call
    )
  }
}

abort_missing_key <- function(n, name, call) {
  abort_hmvn(
    c(
      "Every row must have a group.",
      x = "Column {.field {name}} is NA in {n} row{?s}.",
      i = paste(
        "Leave out those rows, {.code subset(data, !is.na({backtick(printable(name))}))}, or",
        "replace NA by the label of a group of its own."
      )
    ),
    "group", argument = "group", column = name, count = n, call = call
  )
}

code_factor <- function(x, name, call) {
  check_factor(x, name, call)
  codes <- as.integer(x)
  if (anyNA(codes)) {
    abort_missing_key(sum(is.na(codes)), name, call)
  }
  levels <- levels(x)
  if (anyNA(levels)) {
    rows <- sum(codes == which(is.na(levels)))
    if (rows > 0L) abort_missing_key(rows, name, call)
  }
  used <- tabulate(codes, length(levels)) > 0L
  if (!all(used)) {
    empty <- levels[!used]
    shown <- few(printable(empty))
    inform_hmvn(
      c(i = "Column {.field {name}}: {length(empty)} empty level{?s} dropped: {.val {shown}}."),
      "empty_levels", column = name, levels = empty
    )
    codes <- cumsum(used)[codes]
  }
  values <- factor(levels[used], levels = levels[used], ordered = is.ordered(x))
  list(codes = codes, values = values, labels = levels[used])
}

# Codes may have been written by hand.
check_factor <- function(x, name, call) {
  codes <- unclass(x)
  extent <- if (length(codes)) suppressWarnings(range(codes, na.rm = TRUE)) else c(1, 1)
  fine <- is.integer(codes) && is.character(levels(x)) &&
    (all(is.na(codes)) || (extent[[1L]] >= 1L && extent[[2L]] <= nlevels(x)))
  if (!fine) {
    abort_hmvn(
      c(
        "The codes of a factor must be positions of its levels.",
        x = "Column {.field {name}} has other codes.",
        i = "Make the factor anew by {.fn factor}."
      ),
      "group", argument = "group", column = name, call = call
    )
  }
}

# Whole numbers, integer or double: tabulated if their range allows, else hashed.
code_whole <- function(x, back = identity) {
  coded <- code_whole_(x, is.null(attributes(x))) %||% code_by_hash(x)
  coded$values <- back(coded$values)
  coded
}

# Sorted by code point whatever the locale, so that draws do not depend on it.
code_by_hash <- function(x) {
  values <- sort(unique(x), method = "radix")
  list(codes = match(x, values), values = values)
}

# as.character(100000L) is "1e+05"; these are the digits.
key_labels <- function(values) {
  if (is.integer(values)) {
    sprintf("%d", values)
  } else if (is.double(values)) {
    sprintf("%.0f", values + 0) # + 0: no "-0"
  } else {
    as.character(values)
  }
}

check_labels <- function(labels, columns, call) {
  if (any(!nzchar(labels))) {
    abort_hmvn(
      c(
        "Every group must have a label.",
        x = "Column {.field {columns}} has the empty string as a group.",
        i = "Give that group a name, or set it to NA and leave those rows out."
      ),
      "group", argument = "group", column = columns, call = call
    )
  }
  bad <- which(!is_valid_text(labels))
  if (length(bad)) {
    shown <- few(printable(labels[bad]))
    abort_hmvn(
      c(
        "Labels of groups must be valid text.",
        x = "Column {.field {columns}} has {.val {shown}}.",
        i = "Say in which encoding the data are read, or convert that column by {.fn iconv}."
      ),
      "group", argument = "group", column = columns, labels = shown, call = call
    )
  }
  if (anyDuplicated(labels)) {
    same <- unique(labels[duplicated(labels)])
    shown <- few(same)
    abort_hmvn(
      c(
        "Labels of groups must be unique.",
        x = "Several groups of {.field {columns}} get the label {.val {shown}}.",
        i = "Labels join the keys by {.val :}; rename values that contain it."
      ),
      "group", argument = "group", column = columns, labels = same, call = call
    )
  }
  enc2utf8(labels)
}
