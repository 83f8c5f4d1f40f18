# Columns as they arrive: numbers and labels that other packages wrap in classes of their own.

# internal -----------------------------------------------------------------

# Plain numbers of a column of labelled numbers (haven), a matrix of one column (scale()), a time
# series or integers of 64 bits that doubles hold exactly; any other column as it is.
unwrap_numbers <- function(x) {
  if (inherits(x, "integer64") && is.double(x) && is.null(dim(x))) {
    values <- from_integer64(x)
    return(if (all(abs(values) <= 2^53, na.rm = TRUE)) values else x)
  }
  numbers <- typeof(x) %in% c("double", "integer")
  one_column <- is.matrix(x) && ncol(x) == 1L
  plain_shape <- is.null(dim(x)) || one_column
  no_class <- !is.object(x) || identical(class(x), "AsIs")
  wrapped <- inherits(x, c("haven_labelled", "ts")) || (one_column && no_class)
  if (!numbers || !plain_shape || !wrapped) {
    return(x)
  }
  missing <- user_missing(x)
  attributes(x) <- NULL
  x[missing] <- NA
  x
}

# Values that SPSS calls missing, by their list or their range.
user_missing <- function(x) {
  values <- attr(x, "na_values", exact = TRUE)
  range <- attr(x, "na_range", exact = TRUE)
  attributes(x) <- NULL
  missing <- x %in% values
  if (length(range) == 2L) missing <- missing | (!is.na(x) & x >= range[[1L]] & x <= range[[2L]])
  which(missing)
}

# A grouping column as a type that is coded: labelled values by their labels, dates and times as
# text in their order, integer64 as doubles.
unwrap_key <- function(x) {
  if (inherits(x, "haven_labelled")) {
    by_label(x)
  } else if (inherits(x, c("Date", "POSIXct"))) {
    format(x)
  } else if (inherits(x, "integer64")) {
    from_integer64(x)
  } else {
    unwrap_numbers(x)
  }
}

# A factor in the order of the values. A value without a label, or with that of another value, is
# named by itself.
by_label <- function(x) {
  labels <- attr(x, "labels", exact = TRUE)
  missing <- user_missing(x)
  attributes(x) <- NULL
  x[missing] <- NA
  values <- sort(unique(x), method = "radix")
  named <- as.character(names(labels))[match(values, unname(unclass(labels)))]
  alone <- is.na(named) | named %in% named[duplicated(named)]
  named[alone] <- as.character(values[alone])
  factor(x, levels = values, labels = make.unique(named))
}

# A whole number of 64 bits as its two halves, of which R reads the lower one with a sign. (The
# smallest is NA, as is that of 32 bits.)
from_integer64 <- function(x) {
  bytes <- writeBin(as.vector(unclass(x)), raw())
  halves <- readBin(bytes, "integer", n = 2L * length(x), size = 4L)
  halves <- matrix(halves, nrow = 2L)
  if (.Platform$endian == "big") halves <- halves[2:1, , drop = FALSE]
  low <- ifelse(is.na(halves[1L, ]), -2^31, halves[1L, ]) %% 2^32
  halves[2L, ] * 2^32 + low
}

# Numeric columns that hardly are measurements: row numbers, years, visits, weights. Said where
# features were not named; `facts`: a list of column_facts(), by name.
warn_suspects <- function(facts, call) {
  suspects <- Filter(Negate(is.null), Map(suspect, facts, names(facts)))
  if (length(suspects) == 0L) {
    return(invisible())
  }
  names <- names(suspects)
  what <- cli_verbatim(paste0(names, " (", unlist(suspects), ")"))
  text <- some_of(what)
  minus <- cli_verbatim(paste(c("~ .", backtick(names)), collapse = " - "))
  warn_hmvn(
    c(
      "Features were not named, and some of them hardly are measurements.",
      x = paste0("They look like something else: ", text, "."),
      i = paste0("Leave them out, {.code features = ", minus, "}, or name the features.")
    ),
    "suspect_features", features = names, call = call
  )
}

# What tells a measurement from a label: the number `n` of cells, are all `whole`, do they count up
# row by row (`in_turn`), the `smallest` and the `largest`.
column_facts <- function(x) {
  x <- x[!is.na(x)]
  n <- length(x)
  whole <- n > 0L && all(x == trunc(x))
  list(
    n = n, whole = whole, in_turn = whole && all(diff(x) == 1),
    smallest = if (n > 0L) min(x) else Inf, largest = if (n > 0L) max(x) else -Inf
  )
}

# What a column looks like by its name and values, or NULL.
suspect <- function(facts, name) {
  word <- function(pattern) grepl(pattern, name, ignore.case = TRUE)
  counts_up <- facts$n >= 20L && facts$in_turn
  weights <- "(^|[._ ])(weights|wgt|freq|frequency|pweight|fweight)$"
  if (counts_up || (facts$whole && word("(^|[._ ])id$"))) {
    "an id"
  } else if (facts$whole && word("(^|[._ ])(year|yr)$") && facts$smallest > 1000 &&
    facts$largest < 3000) {
    "a year"
  } else if (facts$whole && word("(^|[._ ])(visit|wave|occasion|timepoint)$")) {
    "an occasion"
  } else if (facts$smallest >= 0 && word(weights)) {
    "a weight"
  }
}
