# What may stand as a name or a label: text that every function can read, print and compare.

# internal -----------------------------------------------------------------

# Valid in the encoding that it claims to have; bytes claim none. `x`: NULL, too, as names may be.
is_valid_text <- function(x) {
  x <- x %||% character()
  Encoding(x) != "bytes" & validEnc(x)
}

# Unique names that are there and can be read.
are_names <- function(x) {
  is.character(x) && !anyNA(x) && all(nzchar(x)) && all(is_valid_text(x)) && !anyDuplicated(x)
}

# Names as they are written in code.
backtick <- function(names) {
  vapply(names, function(x) deparse1(as.name(x), backtick = TRUE), "", USE.NAMES = FALSE)
}

# The first and last of very many: cli shows 20 and lays out all.
few <- function(x) if (length(x) > 22L) x[c(1:20, length(x) - 1:0)] else x

# The first few of many, as one text.
some_of <- function(names, most = 4L, between = ", ") {
  if (length(names) <= most) {
    return(paste(names, collapse = between))
  }
  paste0(paste(names[seq_len(most)], collapse = between), " and ", length(names) - most, " more")
}

# Any names, so that they can be shown: what is no valid text with its bytes written out.
printable <- function(x) {
  x <- as.vector(x[!is.na(x)])
  bad <- !is_valid_text(x)
  x[bad] <- encodeString(x[bad])
  x
}
