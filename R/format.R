# How numbers, counts and names are written for people. Widths are those of the screen, which wide
# characters and emoji take more of than letters.

# internal -----------------------------------------------------------------

number <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)

percent <- function(share) {
  if (share > 0 && share < 0.001) {
    return("<0.1%")
  }
  paste0(format(round(100 * share, 1), nsmall = 1), "%")
}

# "1 row", "2,000 rows"
count_of <- function(n, noun) paste0(number(n), " ", noun, if (n != 1) "s")

# The line below a page of rows.
say_more_rows <- function(n) {
  if (n > 0) cat("... and ", count_of(n, "more row"), "; all: print(x, n = Inf)\n", sep = "")
}

# A sentence, in lines that fit the screen and the eye.
cat_wrapped <- function(...) {
  cat(strwrap(paste0(...), min(80, getOption("width"))), sep = "\n")
}

# "a character", "an integer"
with_article <- function(noun) paste(if (grepl("^[aeiou]", noun)) "an" else "a", noun)

# Adding 0 after rounding keeps "-0.00" away.
fixed <- function(x, digits) formatC(round(x, digits) + 0, digits = digits, format = "f")

# Significant digits without an exponent where that is readable
significant <- function(x, digits) {
  text <- formatC(x, digits = digits, format = "fg", flag = "#")
  large <- is.finite(x) & x != 0 & (abs(x) >= 1e6 | abs(x) < 1e-4)
  text[large] <- formatC(x[large], digits = digits - 1, format = "e")
  sub("\\.$", "", trimws(text))
}

# Each number on its own, so that a large one does not take the digits of a small one.
number_text <- function(x, digits) {
  vapply(x, function(v) format(v, digits = digits), "", USE.NAMES = FALSE)
}

# "1.234 (0.056)": the posterior sd to two digits and the mean to as many decimals, so that no digit
# is shown that is only noise, and none is lost. With `digits` = 1, for correlations, 0.76 (0.06):
# two decimals, or as many as the sd's first digit needs.
with_error <- function(mean, sd, digits = 2L) {
  general <- function(x, digits) trimws(formatC(x, digits = digits, format = "g"))
  vapply(seq_along(mean), function(i) {
    decimals <- error_decimals(sd[i], digits)
    plain <- is.finite(mean[i]) && decimals <= 6 && abs(mean[i]) < 1e7
    if (plain) {
      paste0(fixed(mean[i], decimals), " (", fixed(sd[i], decimals), ")")
    } else {
      paste0(general(mean[i], 4), " (", general(sd[i], 2), ")")
    }
  }, "")
}

error_decimals <- function(sd, digits) {
  if (!isTRUE(sd > 0)) {
    return(3)
  }
  max(if (digits == 1L) 2 else 0, digits - 1 - floor(log10(signif(sd, digits))))
}

text_width <- function(text) cli::ansi_nchar(text, "width")

pad <- function(text, width, side) {
  blanks <- strrep(" ", pmax(0, width - text_width(text)))
  if (side == "left") paste0(blanks, text) else paste0(text, blanks)
}

# The first, or the last, characters of a text that take at most `width`.
take_width <- function(text, width, from_end = FALSE) {
  letters <- strsplit(text, "")[[1L]]
  if (from_end) letters <- rev(letters)
  kept <- letters[cumsum(text_width(letters)) <= width]
  paste(if (from_end) rev(kept) else kept, collapse = "")
}

# Each text on its own: cli::ansi_strtrim() of a vector takes the last letter of those that fit
# exactly.
trim_end <- function(text, width) {
  dots <- cli::symbol$ellipsis
  long <- text_width(text) > width
  text[long] <- vapply(text[long], function(one) {
    paste0(take_width(one, width - text_width(dots)), dots)
  }, "", USE.NAMES = FALSE)
  text
}

# One name with its middle left out; `head`: the width kept at its beginning.
leave_out_middle <- function(name, width, head) {
  dots <- cli::symbol$ellipsis
  room <- width - text_width(dots)
  start <- take_width(name, head)
  paste0(start, dots, take_width(name, room - text_width(start), from_end = TRUE))
}

# Names that are too wide, with their middle left out: names that differ stay different. Where
# halves do not tell them apart, other shares of beginning and end are tried, then their position.
trim_names <- function(names, width) {
  known <- unique(names)
  room <- width - text_width(cli::symbol$ellipsis)
  shown <- known
  long <- which(text_width(known) > width)
  if (length(long) == 0L) {
    return(names)
  }
  shown[long] <- vapply(known[long], leave_out_middle, "", width, ceiling(room / 2))
  for (head in unique(pmax(0, c(ceiling(room / 2) + c(rbind(seq_len(room), -seq_len(room))))))) {
    same <- intersect(long, which(shown %in% shown[duplicated(shown)]))
    if (length(same) == 0L || head > room) next
    other <- vapply(known[same], leave_out_middle, "", width, head)
    clear <- !other %in% c(shown[-same], other[duplicated(other)])
    shown[same[clear]] <- other[clear]
  }
  same <- intersect(long, which(shown %in% shown[duplicated(shown)]))
  shown[same] <- vapply(same, function(position) {
    end <- paste0(cli::symbol$ellipsis, position)
    paste0(take_width(known[position], width - text_width(end)), end)
  }, "")
  shown[match(names, known)]
}

# "x~y", each side with its middle left out where the pair is too wide. `first`, `second`: positions
# among `features`.
trim_pairs <- function(features, first, second, width) {
  pairs <- paste(features[first], features[second], sep = "~")
  long <- text_width(pairs) > width
  sides <- trim_names(features, (width - 1) %/% 2)
  pairs[long] <- paste(sides[first], sides[second], sep = "~")[long]
  pairs
}
